import { type BreakerState, CLOSED } from '../breaker.ts';
import { BridgeError } from '../errors.ts';
import { type ChannelName, type DeliveryId, type MessageId, newId, type RouteName } from '../message.ts';
import {
  type BookingStep,
  type Consequences,
  type Edition,
  type Keeping,
  type Kept,
  LEASE_MS,
  type Membership,
  type NewMessage,
  type Pulse,
  type Settled,
  type Settlement,
  type Store,
  type Work,
} from '../store.ts';
import { type Decide, foldKeeps, foldSettles, textOf } from './folding.ts';
import { barely, elsewhere, ofNewerVersion, refusedOnly, unsaid } from './last-resort.ts';
import { add, end, giveBack, promote, running, workOf } from './memory-lanes.ts';
import type { MemoryDelivery, MemoryTables } from './memory-tables.ts';

export { MemoryTables } from './memory-tables.ts';

/**
 * The store in memory: the same promises without the disk. For tests, the simulator and fixture
 * tests. Nothing awaits inside a call, so that every call is a transaction.
 */
export class MemoryStore implements Store {
  readonly #tables: MemoryTables;
  #me: string | null = null;

  constructor(tables: MemoryTables) {
    this.#tables = tables;
  }

  async keep(batch: readonly Keeping[], decide: Decide<Keeping>): Promise<readonly Kept[]> {
    return this.#oneByOne(
      batch,
      (rows) => this.#keep(rows, decide),
      (keeping, thrown) => this.#keep([barely(keeping, thrown)], refusedOnly),
    );
  }

  #keep(batch: readonly Keeping[], decide: Decide<Keeping>): readonly Kept[] {
    const { ids, bookings } = this.#tables;
    const plan = foldKeeps(batch, ids, bookings, decide);
    for (const write of plan.dedupe) ids.set(textOf(write), write.known);
    this.#write(plan.steps, plan.messages);
    const mine = this.#add(plan.messages);
    return plan.verdicts.map((verdict): Kept => {
      if (verdict.kind !== 'new') return verdict;
      const { id, error, consequences } = verdict;
      const of = runningOf(consequences, mine);
      return error === null
        ? { kind: 'accepted', id, consequences, running: of }
        : { kind: 'refused', id, error, consequences, running: of };
    });
  }

  async writeEditions(batch: readonly Edition[]): Promise<readonly boolean[]> {
    const { open, editions } = this.#tables;
    return batch.map((edition) => {
      const row = open.get(edition.delivery);
      if (row === undefined || row.owner === null || row.owner !== this.#me) return false;
      if (!editions.has(edition.id)) editions.set(edition.id, edition);
      return true;
    });
  }

  async settle(batch: readonly Settlement[], decide: Decide<Settlement>): Promise<readonly Settled[]> {
    const { clock, random } = this.#tables;
    return this.#oneByOne(
      batch,
      (rows) => this.#settle(rows, decide),
      (settlement, thrown) =>
        this.#settle([settlement], () =>
          unsaid(settlement, thrown, { id: newId(clock, random), at: clock.now() }),
        ),
    );
  }

  /** A batch as a whole; one by one when one of it cannot be decided, which `alone` then takes. */
  #oneByOne<Row, Result>(
    batch: readonly Row[],
    run: (rows: readonly Row[]) => readonly Result[],
    alone: (row: Row, thrown: unknown) => readonly Result[],
  ): readonly Result[] {
    try {
      return run(batch);
    } catch (thrown) {
      if (ofNewerVersion(thrown)) throw elsewhere(thrown);
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) return alone(only, thrown);
      return batch.flatMap((row) => this.#oneByOne([row], run, alone));
    }
  }

  #settle(batch: readonly Settlement[], decide: Decide<Settlement>): readonly Settled[] {
    const { open, bookings } = this.#tables;
    const plan = foldSettles(batch, open, this.#me, bookings, decide);
    for (const outcome of plan.outcomes)
      if (outcome !== null) end(this.#tables, outcome.settlement, outcome.head);
    this.#write(plan.steps, plan.messages);
    // Before the new deliveries: one into a lane that closes here would overtake who waits there.
    const promoted = plan.outcomes.map((outcome) =>
      outcome?.closes ? this.#promote(outcome.settlement) : null,
    );
    const mine = this.#add(plan.messages);
    return plan.outcomes.map((outcome, at): Settled => {
      if (outcome === null) return { kind: 'fenced' };
      const { consequences } = outcome;
      return {
        kind: 'settled',
        consequences,
        running: runningOf(consequences, mine),
        promoted: promoted[at] ?? null,
      };
    });
  }

  async claim(channel: ChannelName, routes: readonly RouteName[], limit: number): Promise<readonly Work[]> {
    const me = this.#owner();
    const now = this.#tables.clock.now();
    const due = this.#tables
      .inOrder()
      .filter((row) => row.state === 'queued' && row.channel === channel && row.dueAt <= now)
      .filter((row) => routes.includes(row.route))
      .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
    return due
      .slice(0, Math.max(limit, 0))
      .map((row) => workOf(this.#tables, this.#tables.change(row.id, running(row, me))));
  }

  /** In memory every instance runs one plan. */
  async claimStrayed(routes: readonly RouteName[], forMs: number, limit: number): Promise<readonly Work[]> {
    const me = this.#owner();
    const before = this.#tables.clock.now().getTime() - forMs;
    return this.#tables
      .inOrder()
      .filter((row) => row.state === 'queued' && row.dueAt.getTime() <= before && !routes.includes(row.route))
      .slice(0, limit)
      .map((row) => workOf(this.#tables, this.#tables.change(row.id, running(row, me))));
  }

  async owned(): Promise<readonly DeliveryId[]> {
    const me = this.#owner();
    return this.#tables
      .inOrder()
      .filter(({ owner }) => owner === me)
      .map(({ id }) => id);
  }

  async release(deliveries: readonly DeliveryId[]): Promise<number> {
    const me = this.#owner();
    const rows = this.#tables.inOrder().filter(({ id, owner }) => owner === me && deliveries.includes(id));
    return this.#giveBack(rows).queued;
  }

  async bookingsToWake(states: readonly string[], limit: number) {
    const now = this.#tables.clock.now();
    return [...this.#tables.bookings.values()]
      .filter(({ state }) => states.includes(state))
      .flatMap(({ reference, hospital, version, wakeAt }) =>
        wakeAt === null || wakeAt > now ? [] : [{ reference, hospital, version, wakeAt }],
      )
      .sort((a, b) => a.wakeAt.getTime() - b.wakeAt.getTime())
      .slice(0, limit)
      .map(({ wakeAt: _, ...due }) => due);
  }

  async join(): Promise<Membership> {
    const { clock, random, instances } = this.#tables;
    const id = newId<string>(clock, random);
    this.#me = id;
    instances.set(id, { id, crashed: false, beatAtMs: clock.monotonicMs(), graceMs: 0, honours: null });
    return {
      id,
      holds: () => instances.get(id)?.crashed === false,
      beat: async (report) => this.#beat(id, report),
      onWake: (listener) => this.#tables.listeners.set(id, listener),
      leave: async () => {
        this.#giveBack(this.#tables.inOrder().filter(({ owner }) => owner === id));
        this.#tables.instances.delete(id);
        this.#tables.listeners.delete(id);
        if (this.#me === id) this.#me = null;
      },
    };
  }

  wake(channels: readonly ChannelName[]): void {
    for (const [id, listener] of this.#tables.listeners) if (id !== this.#me) listener(channels);
  }

  async moveBreaker(channel: ChannelName, from: number, to: BreakerState) {
    const { breakers } = this.#tables;
    const state = breakers.get(channel) ?? CLOSED;
    if (state.generation !== from) return { moved: false, state };
    breakers.set(channel, to);
    return { moved: true, state: to };
  }

  async savePlan(hash: string, files: ReadonlyMap<string, string>): Promise<void> {
    const { plans } = this.#tables;
    if (!plans.has(hash)) plans.set(hash, files);
  }

  async ledgerDifferences(): Promise<readonly MessageId[]> {
    const { messages, keptAt, open, ended, clock } = this.#tables;
    const now = clock.now().getTime();
    return [...messages.values()]
      .filter(({ message }) => {
        const age = now - (keptAt.get(message.id)?.getTime() ?? now);
        return age >= 10_000 && age <= 600_000;
      })
      .filter(({ deliveries }) => deliveries.some(({ id }) => !open.has(id) && !ended.has(id)))
      .map(({ message }) => message.id);
  }

  /** Nothing: the memory of a process ends before an id is too old. */
  async maintain(): Promise<void> {
    await Promise.resolve();
  }

  async ready(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new BridgeError('store-unavailable', 'stopped waiting for the store');
  }

  /** Ends the store as the end of its process would: what it owned is taken over by the others. */
  async close(): Promise<void> {
    const mine = this.#me === null ? undefined : this.#tables.instances.get(this.#me);
    if (mine !== undefined) this.#tables.instances.set(mine.id, { ...mine, crashed: true });
    this.#me = null;
  }

  #owner(): string {
    if (this.#me === null)
      throw new BridgeError('store-mismatch', 'only an instance that joined owns deliveries');
    return this.#me;
  }

  #write(steps: readonly BookingStep[], messages: readonly NewMessage[]): void {
    const { bookings, keptAt, clock } = this.#tables;
    for (const step of steps) {
      bookings.set(step.after.reference, step.after);
      this.#tables.steps.push(step);
    }
    for (const message of messages) {
      this.#tables.messages.set(message.message.id, message);
      keptAt.set(message.message.id, clock.now());
    }
  }

  #beat(id: string, { honours, graceMs }: Parameters<Membership['beat']>[0]): Pulse | null {
    const { instances, clock, breakers } = this.#tables;
    const me = instances.get(id);
    if (me === undefined || me.crashed) return null;
    const nowMs = clock.monotonicMs();
    const fresh = nowMs - me.beatAtMs < LEASE_MS;
    for (const other of instances.values()) {
      const frozen = fresh && nowMs - other.beatAtMs > LEASE_MS + other.graceMs;
      if (other.id !== id && (other.crashed || frozen)) instances.delete(other.id);
    }
    instances.set(id, { ...me, beatAtMs: nowMs, graceMs, honours });
    const orphans = this.#tables.inOrder().filter(({ owner }) => owner !== null && !instances.has(owner));
    const living = [...instances.values()];
    return {
      now: clock.now(),
      living: living.map((instance) => instance.id),
      honoured: Math.min(...living.map((instance) => instance.honours ?? honours)),
      breakers: new Map(breakers),
      recovered: this.#giveBack(orphans),
    };
  }

  #add(messages: readonly NewMessage[]): ReadonlySet<DeliveryId> {
    const { mine, queued } = add(this.#tables, messages, this.#me);
    this.#tell(queued);
    return mine;
  }

  #promote(settlement: Settlement): Work | null {
    const next = promote(this.#tables, settlement, this.#me);
    if (next?.state === 'queued') this.#tell(new Set([next.channel]));
    return next?.state === 'running' ? workOf(this.#tables, next) : null;
  }

  #giveBack(rows: readonly MemoryDelivery[]): Pulse['recovered'] {
    const given = giveBack(this.#tables, rows);
    this.#tell(new Set(rows.map(({ channel }) => channel)));
    return given;
  }

  #tell(channels: ReadonlySet<ChannelName>): void {
    if (this.#me === null || channels.size === 0) return;
    this.#tables.listeners.get(this.#me)?.([...channels]);
  }
}

function runningOf({ messages }: Consequences, mine: ReadonlySet<DeliveryId>): ReadonlySet<DeliveryId> {
  return new Set(
    messages.flatMap(({ deliveries }) => deliveries.map(({ id }) => id)).filter((id) => mine.has(id)),
  );
}
