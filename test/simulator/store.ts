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
import { away, type CallParts, Calls } from './calls.ts';
import type { SimProcess } from './process.ts';
import { Session } from './session.ts';

const READY_EVERY_MS = 250;

/**
 * The store of bad days: the memory store at the far end of a line. What fails here fails as it can in
 * `engine/store/postgres`: a batch that keeps or settles and whose COMMIT got no reply is looked up until it is known;
 * everything else without a reply rejects, also when it was done.
 */
export class BadStore implements Store {
  readonly process: SimProcess;
  readonly #parts: CallParts;
  readonly #inner: Store;
  readonly #calls: Calls;
  #session: Session | null = null;
  #listener: ((channels: readonly ChannelName[]) => void) | null = null;

  constructor(parts: CallParts) {
    const { process, database } = parts;
    this.process = process;
    this.#parts = parts;
    this.#inner = new MemoryStore(database.tables);
    this.#calls = new Calls(parts);
    this.#calls.onTold = (channels) => this.#listener?.(channels);
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
    this.#calls.line.cut(ms);
    this.#session?.break(this.#parts.dice.between([1, 50]));
  }

  /** Nothing arrives for a while, and nobody is told. */
  silence(ms: number): void {
    this.#parts.weather.saw('database silent');
    this.#calls.line.silence(ms);
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
    this.#calls.line.broken();
    this.#session?.break(this.#parts.dice.between([1, 50]));
  }

  /** All is well with the line again. */
  heal(): void {
    this.#calls.line.heal();
  }

  told(channels: readonly ChannelName[], afterMs: number): void {
    if (this.#session?.holds() !== true) return;
    this.process.after(afterMs, () => this.#listener?.(channels));
  }

  keep(batch: readonly Keeping[], decide: Decide<Keeping>): Promise<readonly Kept[]> {
    const { tables } = this.#parts.database;
    return this.#calls.transact('keep', {
      run: () => this.#inner.keep(batch, decide),
      undone: () => void foldKeeps(batch, tables.ids, tables.bookings, decide),
      found: (kept) =>
        kept.map((one) => ('running' in one ? { ...one, running: this.#stillRunning(one.running) } : one)),
    });
  }

  settle(batch: readonly Settlement[], decide: Decide<Settlement>): Promise<readonly Settled[]> {
    const { tables } = this.#parts.database;
    return this.#calls.transact('settle', {
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
    return this.#calls.repeat(() => this.#inner.writeEditions(batch));
  }

  claim(channel: ChannelName, routes: readonly RouteName[], limit: number): Promise<readonly Work[]> {
    if (limit < 1) return Promise.resolve([]);
    return this.#calls.ask('claim', () => this.#inner.claim(channel, routes, limit));
  }

  claimStrayed(routes: readonly RouteName[], forMs: number, limit: number): Promise<readonly Work[]> {
    return this.#calls.ask('claim', () => this.#inner.claimStrayed(routes, forMs, limit));
  }

  owned(): Promise<readonly DeliveryId[]> {
    return this.#calls.ask('read', () => this.#inner.owned());
  }

  release(deliveries: readonly DeliveryId[]): Promise<number> {
    return this.#calls.ask('release', () => this.#inner.release(deliveries));
  }

  moveBreaker(channel: ChannelName, from: number, to: BreakerState) {
    return this.#calls.ask('breaker', () => this.#inner.moveBreaker(channel, from, to));
  }

  bookingsToWake(states: readonly string[], limit: number) {
    return this.#calls.read(() => this.#inner.bookingsToWake(states, limit));
  }

  savePlan(hash: string, files: ReadonlyMap<string, string>): Promise<void> {
    return this.#calls.read(() => this.#inner.savePlan(hash, files));
  }

  ledgerDifferences() {
    return this.#calls.read(() => this.#inner.ledgerDifferences());
  }

  maintain(): Promise<void> {
    return this.#calls.read(() => this.#inner.maintain());
  }

  wake(channels: readonly ChannelName[]): void {
    if (this.#session?.holds() === true) this.#parts.database.notify(this, channels);
  }

  async ready(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reply = await this.#calls.trip(() => Promise.resolve());
      if (reply.kind === 'answered') return;
      await this.process.sleep(READY_EVERY_MS, signal);
    }
    throw new BridgeError('store-unavailable', 'stopped waiting for the store');
  }

  async join(): Promise<Membership> {
    this.#session?.leave();
    const { process, database, weather } = this.#parts;
    const reply = await this.#calls.trip(() => this.#inner.join());
    if (reply.kind !== 'answered') {
      // Its session is gone, and with it the lock on what may have been written.
      if (reply.kind === 'lost' && reply.done !== null) {
        weather.saw('joined unheard');
        database.freeLock(reply.done.value.id);
      }
      throw away(reply);
    }
    const { value: inner } = reply;
    const session = new Session(inner.id, { process, database, line: this.#calls.line });
    this.#session = session;
    this.#listener = null;
    inner.onWake((channels) => this.#calls.tell(channels));
    return {
      id: inner.id,
      holds: () => session.holds(),
      beat: async (report) =>
        session.isLost ? null : this.#calls.ask('beat', () => this.#beat(inner, report)),
      onWake: (listener) => {
        this.#listener = listener;
      },
      leave: async () => {
        if (this.#session === session) this.#session = null;
        try {
          await this.#calls.ask('leave', () => inner.leave());
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
    this.#calls.line.end();
  }
}
