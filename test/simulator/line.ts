import type { Database } from './database.ts';
import type { Dice } from './dice.ts';
import type { SimProcess } from './process.ts';
import type { Happening, Timeline } from './timeline.ts';
import type { Weather } from './weather.ts';

/** What a caller at this end of the line comes to know. */
export type Reply<Result> =
  | { readonly kind: 'answered'; readonly value: Result }
  /** The server, or the way to it, said no: nothing was done. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The connection broke. `done`, which the caller cannot see, is what came of it. */
  | { readonly kind: 'lost'; readonly why: string; readonly done: { readonly value: Result } | null };

/** What the server did, and what is heard together with its reply. */
export interface Done<Result> {
  readonly value: Result;
  readonly heard: () => unknown;
}

export interface LineParts {
  readonly process: SimProcess;
  readonly timeline: Timeline;
  readonly database: Database;
  readonly weather: Weather;
  readonly dice: Dice;
}

const QUICK_MS = [0, 4] as const;
const SLOW_MS = [50, 3_000] as const;
const BREAK_NOTICED_MS = [1, 40] as const;
/** Nobody waits longer for a reply that does not come. */
const READ_TIMEOUT_MS = 30_000;

/** The way between one process and the database, and what becomes of a call on it. */
export class Line {
  readonly #parts: LineParts;
  /** Calls on their way to the server. */
  readonly #onTheWay = new Set<Happening>();
  #cuts = 0;
  #silentUntil = Number.NEGATIVE_INFINITY;
  /** Rises with every break: what was under way then is lost. */
  #breaks = 0;

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#cuts === 0 && !this.#isSilent && this.#parts.database.isUp;
  }

  get #isSilent(): boolean {
    return this.#silentUntil > this.#parts.timeline.now;
  }

  cut(ms: number): void {
    this.#cuts += 1;
    this.broken();
    this.#parts.timeline.after(ms, () => {
      this.#cuts = Math.max(0, this.#cuts - 1);
    });
  }

  silence(ms: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, this.#parts.timeline.now + ms);
  }

  broken(): void {
    this.#breaks += 1;
  }

  heal(): void {
    this.#cuts = 0;
    this.#silentUntil = Number.NEGATIVE_INFINITY;
  }

  /** The process is dead: what it sent may still arrive, or not. */
  end(): void {
    for (const call of this.#onTheWay) if (this.#parts.dice.hits(0.5)) this.#parts.timeline.cancel(call);
  }

  /** One call. `undone` is what a transaction does that is not written in the end. */
  trip<Result>(run: () => Promise<Done<Result>>, undone: () => void): Promise<Reply<Result>> {
    const { process, timeline, dice, database, weather } = this.#parts;
    return new Promise((resolve) => {
      const hear = (ms: number, reply: Reply<Result>, heard: () => unknown = () => undefined) => {
        const say = () => {
          heard();
          resolve(reply);
        };
        if (ms === 0) process.hear(say);
        else process.after(ms, say);
      };
      const lost = (ms: number, done: { readonly value: Result } | null) =>
        hear(ms, { kind: 'lost', why: 'the connection broke', done });
      if (this.#cuts > 0 || !database.isUp) {
        return hear(dice.between(BREAK_NOTICED_MS), { kind: 'refused', why: 'nothing answers there' });
      }
      const breaks = this.#breaks;
      const isBroken = () => this.#breaks !== breaks;
      const arrive = async () => {
        if (isBroken() || weather.strikes('request lost', 'store')) {
          if (dice.hits(0.5)) undone();
          return lost(dice.between(BREAK_NOTICED_MS), null);
        }
        if (this.#isSilent) return lost(READ_TIMEOUT_MS, null);
        if (weather.strikes('store refuses', 'store'))
          return hear(this.#takes(), { kind: 'refused', why: 'it takes nothing now' });
        const { value, heard } = await run();
        if (weather.strikes('reply lost', 'store')) return lost(dice.between(BREAK_NOTICED_MS), { value });
        if (this.#isSilent) return lost(READ_TIMEOUT_MS, { value });
        const ms = this.#takes();
        if (ms === 0) return hear(0, { kind: 'answered', value }, heard);
        process.after(ms, () => {
          if (isBroken()) return resolve({ kind: 'lost', why: 'the connection broke', done: { value } });
          heard();
          resolve({ kind: 'answered', value });
        });
      };
      const arrival = timeline.after(this.#takes(), () => {
        this.#onTheWay.delete(arrival);
        arrive().catch((thrown: unknown) => timeline.fail(thrown));
      });
      this.#onTheWay.add(arrival);
    });
  }

  #takes(): number {
    const { dice, weather } = this.#parts;
    return dice.between(weather.strikes('store slow', 'store') ? SLOW_MS : QUICK_MS);
  }
}
