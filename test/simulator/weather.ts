import type { Dice } from './dice.ts';
import type { SpellName } from './disturbances.ts';
import type { Timeline } from './timeline.ts';

interface Spell {
  readonly until: number;
  readonly rate: number;
}

/** What goes wrong at the moment, where, and how often. What strikes is counted: only then has it happened. */
export class Weather {
  readonly seen = new Map<string, number>();
  readonly #timeline: Timeline;
  readonly #dice: Dice;
  readonly #spells = new Map<string, Spell>();

  constructor(timeline: Timeline, dice: Dice) {
    this.#timeline = timeline;
    this.#dice = dice;
  }

  /** From now on, for so long, a part of what happens at a place goes wrong in one way. */
  begin(spell: SpellName, place: string, { ms, rate }: { readonly ms: number; readonly rate: number }): void {
    this.#spells.set(`${spell} ${place}`, { until: this.#timeline.now + ms, rate });
  }

  /** Whether it goes wrong this time, in this way, at this place. */
  strikes(spell: SpellName, place: string): boolean {
    if (this.#spells.size === 0) return false;
    const found = this.#spells.get(`${spell} ${place}`);
    if (found === undefined || found.until <= this.#timeline.now || !this.#dice.hits(found.rate))
      return false;
    this.saw(spell);
    return true;
  }

  saw(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** All is well again. */
  clear(): void {
    this.#spells.clear();
  }
}
