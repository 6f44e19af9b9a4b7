import type { Random } from '../../engine/random.ts';
import { type Chance, chance } from '../crash/random.ts';

/** Chance of its own for each part of a history, so that leaving acts out changes as little else as may be. */
export function diceOf(seed: number, name: string): Dice {
  let mixed = seed ^ 0x9e3779b9;
  for (let at = 0; at < name.length; at += 1)
    mixed = Math.imul(mixed ^ name.charCodeAt(at), 0x85ebca6b) ^ (mixed >>> 13);
  return new Dice(chance(mixed));
}

/** Chance by the words a history needs. */
export class Dice {
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  fraction(): number {
    return this.#chance.fraction();
  }

  hits(rate: number): boolean {
    return rate > 0 && this.#chance.fraction() < rate;
  }

  below(end: number): number {
    return this.#chance.below(end);
  }

  /** A whole number of a range, both ends included. */
  between([from, to]: readonly [number, number]): number {
    return from + this.#chance.below(to - from + 1);
  }

  /** One of several. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.#chance.below(items.length)]!;
  }

  /** The same chance as the engine wants it. */
  get random(): Random {
    const draw = this.#chance;
    return {
      fraction: () => draw.fraction(),
      bytes(count) {
        const bytes = new Uint8Array(count);
        for (let at = 0; at < count; at += 4) {
          const word = draw.below(2 ** 32);
          for (let byte = 0; byte < 4 && at + byte < count; byte += 1) bytes[at + byte] = word >>> (8 * byte);
        }
        return bytes;
      },
    };
  }
}
