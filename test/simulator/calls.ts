import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import type { Telemetry } from '../../engine/telemetry.ts';
import type { Database } from './database.ts';
import type { Dice } from './dice.ts';
import { type Done, Line, type Reply } from './line.ts';
import type { SimProcess } from './process.ts';
import type { Timeline } from './timeline.ts';
import type { Watch } from './watch.ts';
import type { Weather } from './weather.ts';

/** The connections of a store, each used by one caller at a time; reads are many. */
type Purpose = 'keep' | 'settle' | 'edition' | 'claims';

export interface CallParts {
  readonly process: SimProcess;
  readonly timeline: Timeline;
  readonly database: Database;
  readonly weather: Weather;
  readonly watch: Watch;
  readonly dice: Dice;
  readonly telemetry: Telemetry;
  /** How long a batch whose COMMIT got no reply is looked for. */
  readonly unknownForMs: number;
}

const RETRY_MS = 200;

/** What one process asks of the database, and what it comes to know of it. */
export class Calls {
  readonly line: Line;
  /** Hears what this instance's own transactions have queued, together with their replies. */
  onTold: ((channels: readonly ChannelName[]) => void) | null = null;
  readonly #parts: CallParts;
  readonly #turns = new Map<Purpose, Promise<unknown>>();
  #own: ChannelName[] = [];

  constructor(parts: CallParts) {
    this.#parts = parts;
    const { process, timeline, database, weather, dice } = parts;
    this.line = new Line({ process, timeline, database, weather, dice });
  }

  /** The transaction under way has queued something. */
  tell(channels: readonly ChannelName[]): void {
    this.#own.push(...channels);
  }

  /** A transaction that decides: its COMMIT may come out as unknown. */
  transact<Result>(
    what: 'keep' | 'settle',
    transaction: {
      readonly run: () => Promise<Result>;
      readonly undone: () => void;
      readonly found: (result: Result) => Result;
    },
  ): Promise<Result> {
    const { process, weather, dice, telemetry, unknownForMs } = this.#parts;
    return this.alone(what, async () => {
      const began = process.monotonicMs();
      for (;;) {
        const reply = await this.trip(async () => {
          if (weather.strikes('batch met another', 'store')) transaction.undone();
          return transaction.run();
        }, transaction.undone);
        if (reply.kind === 'answered') return reply.value;
        if (reply.kind === 'refused') throw away(reply);
        // Looked up until it is known, or until nobody waits any more.
        for (let known = false; !known; ) {
          if (process.monotonicMs() - began > unknownForMs) {
            weather.saw(reply.done === null ? 'given up and not written' : 'given up though written');
            throw away(reply);
          }
          await process.pause(dice.between([RETRY_MS / 4, RETRY_MS]));
          known = this.line.isOpen && !weather.strikes('lookup fails', 'store');
        }
        telemetry.emit({ kind: 'commit-unknown', what, found: reply.done !== null });
        weather.saw(reply.done === null ? 'looked up and not found' : 'looked up and found');
        if (reply.done !== null) return transaction.found(reply.done.value);
      }
    });
  }

  /** One statement that is one transaction: without a reply it is run again and finds its rows. */
  repeat<Result>(run: () => Promise<Result>): Promise<Result> {
    const { process, telemetry, unknownForMs, weather } = this.#parts;
    return this.alone('edition', async () => {
      const began = process.monotonicMs();
      for (;;) {
        const reply = await this.trip(run);
        if (reply.kind === 'answered') return reply.value;
        if (reply.kind === 'refused' || process.monotonicMs() - began > unknownForMs) throw away(reply);
        weather.saw('edition written again');
        telemetry.emit({ kind: 'commit-unknown', what: 'edition', found: reply.done !== null });
        await process.pause(RETRY_MS);
      }
    });
  }

  /** A call on the connection for claims and beats. Without a reply it rejects, also when it was done. */
  ask<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
    return this.alone('claims', async () => {
      const reply = await this.trip(run);
      if (reply.kind === 'answered') return reply.value;
      if (reply.kind === 'lost' && reply.done !== null) this.#parts.weather.saw(`${what} unheard`);
      throw away(reply);
    });
  }

  /** A call that no other waits for. */
  async read<Result>(run: () => Promise<Result>): Promise<Result> {
    const reply = await this.trip(run);
    if (reply.kind === 'answered') return reply.value;
    throw away(reply);
  }

  /** Runs alone on a connection, after whoever came before. */
  alone<Result>(purpose: Purpose, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(purpose);
    const turn = before === undefined ? work() : before.then(work, work);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(purpose, ended);
    return turn;
  }

  /** To the server and back. What the tables are like after is looked at, whatever the caller hears. */
  trip<Result>(run: () => Promise<Result>, undone: () => void = () => undefined): Promise<Reply<Result>> {
    const atServer = async (): Promise<Done<Result>> => {
      this.#own = [];
      const value = await run();
      const own = this.#own.splice(0);
      this.#parts.watch.tables();
      return { value, heard: () => own.length > 0 && this.onTold?.(own) };
    };
    return this.line.trip(atServer, undone);
  }
}

/** What a caller hears that came to know nothing, or no. */
export function away(reply: Exclude<Reply<unknown>, { readonly kind: 'answered' }>): BridgeError {
  return new BridgeError('store-unavailable', reply.why);
}
