import type { BreakerState } from '../../engine/breaker.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName, DeliveryId, RouteName } from '../../engine/message.ts';
import type { Decide } from '../../engine/store/folding.ts';
import { foldKeeps, foldSettles } from '../../engine/store/folding.ts';
import { MemoryStore } from '../../engine/store/memory.ts';
import { workOf } from '../../engine/store/memory-lanes.ts';
import type {
  Edition,
  Keeping,
  Kept,
  Membership,
  Settled,
  Settlement,
  Store,
  Work,
} from '../../engine/store.ts';
import type { Telemetry } from '../../engine/telemetry.ts';
import type { Database } from './database.ts';
import type { Dice } from './dice.ts';
import { type Done, Line, type Reply } from './line.ts';
import type { SimProcess } from './process.ts';
import { Session } from './session.ts';
import type { Timeline } from './timeline.ts';
import type { Watch } from './watch.ts';
import type { Weather } from './weather.ts';

/** The connections of a store, each used by one caller at a time; reads are many. */
type Purpose = 'keep' | 'settle' | 'edition' | 'claims';

const RETRY_MS = 200;
const READY_EVERY_MS = 250;

export interface StoreParts {
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

/**
 * The store of bad days: the memory store at the far end of a line. What fails here fails as it can in
 * `engine/store/postgres`: a batch that keeps or settles and whose COMMIT got no reply is looked up until it is known;
 * everything else without a reply rejects, also when it was done.
 */
export class BadStore implements Store {
  readonly process: SimProcess;
  readonly #parts: StoreParts;
  readonly #inner: Store;
  readonly #line: Line;
  readonly #turns = new Map<Purpose, Promise<unknown>>();
  #session: Session | null = null;
  #listener: ((channels: readonly ChannelName[]) => void) | null = null;
  /** What this instance's own transaction has told it, to be heard with the reply. */
  #own: ChannelName[] = [];

  constructor(parts: StoreParts) {
    const { process, timeline, database, weather, dice } = parts;
    this.process = process;
    this.#parts = parts;
    this.#inner = new MemoryStore(database.tables);
    this.#line = new Line({ process, timeline, database, weather, dice });
    database.connect(this);
    process.onEnd(() => this.#end());
  }

  /** The instance it acts for. */
  get me(): string | null {
    return this.#session?.id ?? null;
  }

  /** The instance whose lock its session holds at the server. */
  get heldLock(): string | null {
    return this.#session?.locked === true ? this.#session.id : null;
  }

  /** Its lock is free at the server, and it does not know yet: a moment no design can do away with. */
  get isBlind(): boolean {
    return this.#session?.isBlind === true;
  }

  /** The line breaks for a while, with every session on it. */
  cut(ms: number): void {
    this.#parts.weather.saw('database cut off');
    this.#line.cut(ms);
    this.#session?.break(this.#parts.dice.between([1, 50]));
  }

  /** Nothing arrives for a while, and nobody is told. */
  silence(ms: number): void {
    this.#parts.weather.saw('database silent');
    this.#line.silence(ms);
  }

  /** Its process is dead: when the server notices, the lock is free. */
  buried(freeAfterMs: number): void {
    const { timeline, database } = this.#parts;
    const session = this.#session;
    if (session !== null) timeline.after(freeAfterMs, () => database.freeLock(session.id));
  }

  breakSession(noticedAfterMs: number): void {
    if (this.#session === null) return;
    this.#parts.weather.saw('session broken');
    this.#session.break(noticedAfterMs);
  }

  serverGone(): void {
    this.#line.broken();
    this.#session?.break(this.#parts.dice.between([1, 50]));
  }

  /** All is well with the line again. */
  heal(): void {
    this.#line.heal();
  }

  told(channels: readonly ChannelName[], afterMs: number): void {
    if (this.#session?.holds() !== true) return;
    this.process.after(afterMs, () => this.#listener?.(channels));
  }

  keep(batch: readonly Keeping[], decide: Decide<Keeping>): Promise<readonly Kept[]> {
    const { tables } = this.#parts.database;
    return this.#transact('keep', {
      run: () => this.#inner.keep(batch, decide),
      undone: () => void foldKeeps(batch, tables.ids, tables.bookings, decide),
      found: (kept) =>
        kept.map((one) => ('running' in one ? { ...one, running: this.#stillRunning(one.running) } : one)),
    });
  }

  settle(batch: readonly Settlement[], decide: Decide<Settlement>): Promise<readonly Settled[]> {
    const { tables } = this.#parts.database;
    return this.#transact('settle', {
      run: () => this.#settle(batch, decide),
      undone: () => void foldSettles(batch, tables.open, this.me, tables.bookings, decide),
      found: (settled) =>
        settled.map((one) =>
          one.kind === 'fenced'
            ? one
            : { ...one, running: this.#stillRunning(one.running), promoted: this.#stillMine(one.promoted) },
        ),
    });
  }

  writeEditions(batch: readonly Edition[]): Promise<readonly boolean[]> {
    const { process, telemetry, unknownForMs, weather } = this.#parts;
    // One statement is one transaction here: without a reply it is run again and finds its rows.
    return this.#alone('edition', async () => {
      const began = process.monotonicMs();
      for (;;) {
        const reply = await this.#trip(() => this.#inner.writeEditions(batch));
        if (reply.kind === 'answered') return reply.value;
        if (reply.kind === 'refused' || process.monotonicMs() - began > unknownForMs) throw away(reply);
        weather.saw('edition written again');
        telemetry.emit({ kind: 'commit-unknown', what: 'edition', found: reply.done !== null });
        await process.pause(RETRY_MS);
      }
    });
  }

  claim(channel: ChannelName, routes: readonly RouteName[], limit: number): Promise<readonly Work[]> {
    if (limit < 1) return Promise.resolve([]);
    return this.#ask('claim', () => this.#inner.claim(channel, routes, limit));
  }

  claimStrayed(routes: readonly RouteName[], forMs: number, limit: number): Promise<readonly Work[]> {
    return this.#ask('claim', () => this.#inner.claimStrayed(routes, forMs, limit));
  }

  owned(): Promise<readonly DeliveryId[]> {
    return this.#ask('read', () => this.#inner.owned());
  }

  release(deliveries: readonly DeliveryId[]): Promise<number> {
    return this.#ask('release', () => this.#inner.release(deliveries));
  }

  moveBreaker(channel: ChannelName, from: number, to: BreakerState) {
    return this.#ask('breaker', () => this.#inner.moveBreaker(channel, from, to));
  }

  bookingsToWake(states: readonly string[], limit: number) {
    return this.#read(() => this.#inner.bookingsToWake(states, limit));
  }

  savePlan(hash: string, files: ReadonlyMap<string, string>): Promise<void> {
    return this.#read(() => this.#inner.savePlan(hash, files));
  }

  ledgerDifferences() {
    return this.#read(() => this.#inner.ledgerDifferences());
  }

  maintain(): Promise<void> {
    return this.#read(() => this.#inner.maintain());
  }

  wake(channels: readonly ChannelName[]): void {
    if (this.#session?.holds() === true) this.#parts.database.notify(this, channels);
  }

  async ready(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reply = await this.#trip(() => Promise.resolve());
      if (reply.kind === 'answered') return;
      await this.process.sleep(READY_EVERY_MS, signal);
    }
    throw new BridgeError('store-unavailable', 'stopped waiting for the store');
  }

  async join(): Promise<Membership> {
    this.#session?.leave();
    const { process, database, weather } = this.#parts;
    const reply = await this.#trip(() => this.#inner.join());
    if (reply.kind !== 'answered') {
      // Its session is gone, and with it the lock on what may have been written.
      if (reply.kind === 'lost' && reply.done !== null) {
        weather.saw('joined unheard');
        database.freeLock(reply.done.value.id);
      }
      throw away(reply);
    }
    const { value: inner } = reply;
    const session = new Session(inner.id, { process, database, line: this.#line });
    this.#session = session;
    this.#listener = null;
    inner.onWake((channels) => this.#own.push(...channels));
    return {
      id: inner.id,
      holds: () => session.holds(),
      beat: async (report) => (session.isLost ? null : this.#ask('beat', () => this.#beat(inner, report))),
      onWake: (listener) => {
        this.#listener = listener;
      },
      leave: async () => {
        if (this.#session === session) this.#session = null;
        try {
          await this.#ask('leave', () => inner.leave());
        } finally {
          session.leave();
        }
      },
    };
  }

  async close(): Promise<void> {
    this.#session?.leave();
    this.#parts.database.disconnect(this);
  }

  /** A beat counts whether or not the lock is held at the moment; that others may take over is another matter. */
  async #beat(inner: Membership, report: Parameters<Membership['beat']>[0]) {
    const { instances } = this.#parts.database.tables;
    const before = instances.get(inner.id);
    if (before?.crashed !== true) return inner.beat(report);
    instances.set(inner.id, { ...before, crashed: false });
    const pulse = await inner.beat(report);
    const after = instances.get(inner.id);
    if (after !== undefined) instances.set(inner.id, { ...after, crashed: true });
    return pulse;
  }

  async #settle(batch: readonly Settlement[], decide: Decide<Settlement>): Promise<readonly Settled[]> {
    const settled = await this.#inner.settle(batch, decide);
    for (const [at, { kind }] of settled.entries())
      if (kind === 'settled') this.#parts.watch.settled(batch[at]!, this.me);
    return settled;
  }

  /** A transaction that decides: its COMMIT may come out as unknown. */
  #transact<Result>(
    what: 'keep' | 'settle',
    transaction: {
      readonly run: () => Promise<Result>;
      readonly undone: () => void;
      readonly found: (result: Result) => Result;
    },
  ): Promise<Result> {
    const { process, weather, dice, telemetry, unknownForMs } = this.#parts;
    return this.#alone(what, async () => {
      const began = process.monotonicMs();
      for (;;) {
        const reply = await this.#trip(async () => {
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
          known = this.#line.isOpen && !weather.strikes('lookup fails', 'store');
        }
        telemetry.emit({ kind: 'commit-unknown', what, found: reply.done !== null });
        weather.saw(reply.done === null ? 'looked up and not found' : 'looked up and found');
        if (reply.done !== null) return transaction.found(reply.done.value);
      }
    });
  }

  /** A call on the connection for claims and beats. Without a reply it rejects, also when it was done. */
  #ask<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
    return this.#alone('claims', async () => {
      const reply = await this.#trip(run);
      if (reply.kind === 'answered') return reply.value;
      if (reply.kind === 'lost' && reply.done !== null) this.#parts.weather.saw(`${what} unheard`);
      throw away(reply);
    });
  }

  async #read<Result>(run: () => Promise<Result>): Promise<Result> {
    const reply = await this.#trip(run);
    if (reply.kind === 'answered') return reply.value;
    throw away(reply);
  }

  /** Runs alone on a connection, after whoever came before. */
  #alone<Result>(purpose: Purpose, work: () => Promise<Result>): Promise<Result> {
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
  #trip<Result>(run: () => Promise<Result>, undone: () => void = () => undefined): Promise<Reply<Result>> {
    const atServer = async (): Promise<Done<Result>> => {
      this.#own = [];
      const value = await run();
      const own = this.#own.splice(0);
      this.#parts.watch.tables();
      return { value, heard: () => own.length > 0 && this.#listener?.(own) };
    };
    return this.#line.trip(atServer, undone);
  }

  #stillRunning(running: ReadonlySet<DeliveryId>): ReadonlySet<DeliveryId> {
    const { open } = this.#parts.database.tables;
    return new Set([...running].filter((id) => open.get(id)?.owner === this.me));
  }

  #stillMine(work: Work | null): Work | null {
    const { tables } = this.#parts.database;
    const row = work === null ? undefined : tables.open.get(work.delivery.id);
    return row === undefined || row.owner !== this.me ? null : workOf(tables, row);
  }

  #end(): void {
    this.#parts.database.disconnect(this);
    this.#line.end();
  }
}

function away(reply: Exclude<Reply<unknown>, { readonly kind: 'answered' }>): BridgeError {
  return new BridgeError('store-unavailable', reply.why);
}
