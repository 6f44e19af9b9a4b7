import { Batcher } from './batch.ts';
import type { Desk } from './booking.ts';
import type { ChannelKind, OutboundChannel } from './channel.ts';
import type { Clock, SystemClock } from './clock.ts';
import { Connections, type Fresh } from './connections.ts';
import { Dispatcher } from './dispatcher.ts';
import { BridgeError } from './errors.ts';
import { failpoint } from './failpoint.ts';
import { Intake } from './intake.ts';
import type { Digest } from './lane.ts';
import { Life } from './membership.ts';
import type { ChannelName, DeliveryId } from './message.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { routeGone, Settler } from './settler.ts';
import { reservationOver } from './slots.ts';
import type { Edition, Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

const POLL_MS = 1_000;
const DEADLINES_MS = 2_000;
const ORPHANS_MS = 5_000;
const LEDGER_MS = 60_000;
const UPKEEP_MS = 3_600_000;
const STRAYED_FOR_MS = 3_600_000;
const WOKEN_AT_ONCE = 200;

export interface EngineParts {
  readonly plan: Plan;
  readonly kinds: readonly ChannelKind[];
  readonly store: Store;
  readonly desk: Desk;
  readonly clock: Clock;
  /** Takes the database's time as the true one. */
  readonly follow: SystemClock['follow'];
  readonly random: Random;
  readonly digest: Digest;
  readonly telemetry: Telemetry;
}

/** The engine at work: its channels, its place among the living, and what it does by the clock. */
export class Engine {
  readonly #parts: EngineParts;
  readonly #intake: Intake;
  readonly #settler: Settler;
  readonly #editions: Batcher<Edition, boolean>;
  readonly #connections: Connections;
  readonly #life: Life;
  /** Aborted when stopping begins. */
  readonly #ending = new AbortController();
  /** Aborted when everything under way has ended. */
  readonly #ended = new AbortController();
  #plan: Plan;
  #suspects: ReadonlySet<DeliveryId> = new Set();
  #loops: Promise<unknown> = Promise.resolve();
  #changing: Promise<void> = Promise.resolve();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#plan = parts.plan;
    const { kinds, store, clock, telemetry, follow } = parts;
    const handOver = {
      reservation: () =>
        reservationOver(
          (channel) => this.#connections.dispatcherOf(channel),
          (channels) => store.wake(channels),
        ),
    };
    const shared = { ...parts, plan: () => this.#plan, handOver };
    this.#intake = new Intake(shared);
    this.#settler = new Settler({ ...shared, stopping: this.#ending.signal });
    this.#editions = new Batcher((editions) => store.writeEditions(editions), clock);
    this.#connections = new Connections({
      kinds,
      store,
      clock,
      telemetry,
      maySend: () => this.#life.maySend(),
      accept: (name) => (arrival) => this.#intake.accept(name, arrival),
      dispatcher: (name, channel) => this.#dispatcher(name, channel),
    });
    this.#life = new Life({
      store,
      clock,
      follow,
      telemetry,
      planHash: () => this.#plan.hash,
      graceMs: () => Math.max(0, ...[...this.#plan.outbound.values()].map(({ deadlineMs }) => deadlineMs)),
      keepsTo: () => this.#connections.keepsToShares,
      onFenced: () => this.#connections.disown(),
      onPulse: (division, breakers, tookOver) => {
        this.#connections.follow(division, breakers);
        if (tookOver) for (const dispatcher of this.#connections.dispatchers) dispatcher.wake();
      },
      onWake: (channels) => {
        for (const name of channels) this.#connections.dispatcherOf(name)?.wake();
      },
    });
  }

  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Joins the living and opens every channel, inbound ones last. Rejects when the store is away, or when a
   * channel cannot open as things are; a broker that is not there yet is waited for in the background.
   */
  async start(): Promise<void> {
    const { store } = this.#parts;
    const fresh = this.#connections.create(this.#plan);
    await store.savePlan(this.#plan.hash, this.#plan.files);
    await this.#life.join();
    this.#loops = Promise.all([
      this.#life.run(this.#ended.signal),
      this.#every(POLL_MS, () => this.#poll()),
      this.#every(DEADLINES_MS, () => this.#wakeBookings()),
      this.#every(ORPHANS_MS, () => this.#releaseOrphans()),
      this.#every(LEDGER_MS, () => this.#checkLedger()),
      this.#every(LEDGER_MS, () => this.#endStrayed()),
      this.#every(UPKEEP_MS, () => store.maintain()),
    ]);
    await this.#connections.openOutbound(fresh.outbound);
    await this.#connections.openInbound(fresh.inbound);
    this.#sayActivated();
  }

  /**
   * Puts another plan in force. Routes and templates change at once; a channel is closed and opened
   * again only when its own options changed. What cannot be created or opened rejects, and the old plan stays.
   */
  activate(plan: Plan): Promise<void> {
    const changing = this.#changing.then(() => {
      if (this.#ending.signal.aborted) throw new BridgeError('not-allowed', 'the engine is stopping');
      return this.#activate(plan);
    });
    this.#changing = changing.catch(() => undefined);
    return changing;
  }

  /** Takes nothing new, lets what is under way end, and leaves the living. */
  async stop(): Promise<void> {
    // First: a change under way may be waiting for the store, and stops waiting with this.
    this.#ending.abort();
    await this.#changing;
    await this.#connections.closeInbound(null);
    await this.#intake.idle();
    await this.#connections.closeOutbound(null);
    await this.#settler.idle();
    this.#ended.abort();
    await this.#loops;
    await this.#life.leave();
  }

  async #activate(plan: Plan): Promise<void> {
    const fresh = this.#connections.create(plan);
    await this.#parts.store.savePlan(plan.hash, plan.files);
    failpoint('M16');
    const before = this.#plan;
    try {
      await this.#replace(plan, fresh);
    } catch (thrown) {
      await this.#replace(before, this.#connections.create(before));
      // What is kept from now on is kept under it again.
      await this.#parts.store.savePlan(before.hash, before.files);
      throw thrown;
    }
    this.#sayActivated();
  }

  async #replace(plan: Plan, fresh: Fresh): Promise<void> {
    await this.#connections.closeInbound(plan);
    this.#plan = plan;
    await this.#connections.closeOutbound(plan);
    this.#connections.adopt(plan);
    await this.#connections.openOutbound(fresh.outbound);
    await this.#connections.openInbound(fresh.inbound);
  }

  #sayActivated(): void {
    const { hash, routes } = this.#plan;
    this.#parts.telemetry.emit({ kind: 'plan-activated', hash, routes: routes.size });
  }

  #dispatcher(name: ChannelName, channel: OutboundChannel): Dispatcher {
    const { store, clock, random, telemetry } = this.#parts;
    return new Dispatcher({
      name,
      channel,
      store,
      clock,
      random,
      telemetry,
      plan: () => this.#plan,
      settler: this.#settler,
      write: (edition) => this.#editions.add(edition),
      maySend: () => this.#life.maySend(),
    });
  }

  async #poll(): Promise<void> {
    for (const dispatcher of this.#connections.dispatchers) {
      dispatcher.tryAgain();
      dispatcher.wake();
    }
  }

  async #wakeBookings(): Promise<void> {
    const due = await this.#parts.store.bookingsToWake(this.#parts.desk.states, WOKEN_AT_ONCE);
    await Promise.all(
      due.map(({ reference, hospital, version }) => this.#intake.wake(reference, hospital, version)),
    );
  }

  /** What the table says is ours and memory has not held at two looks in a row is nobody's: given back. */
  async #releaseOrphans(): Promise<void> {
    const { store, telemetry } = this.#parts;
    const owned = await store.owned();
    const held = new Set(this.#connections.dispatchers.flatMap((dispatcher) => dispatcher.held()));
    const missing = owned.filter((id) => !held.has(id));
    const orphans = missing.filter((id) => this.#suspects.has(id));
    this.#suspects = new Set(missing);
    if (orphans.length === 0) return;
    const count = await store.release(orphans);
    if (count > 0) telemetry.emit({ kind: 'orphans-released', count });
  }

  /** What nobody has had a route for, for an hour, is put before a person. */
  async #endStrayed(): Promise<void> {
    const routes = [...this.#plan.routes.keys()];
    const strayed = await this.#parts.store.claimStrayed(routes, STRAYED_FOR_MS, WOKEN_AT_ONCE);
    await Promise.all(strayed.map((work) => this.#settler.settle(routeGone(work, this.#parts.clock.now()))));
  }

  async #checkLedger(): Promise<void> {
    const { store, telemetry } = this.#parts;
    const messages = await store.ledgerDifferences();
    if (messages.length > 0) telemetry.emit({ kind: 'ledger-differs', messages });
  }

  /** Does something by the clock until the engine has ended. A lost store is the beat's to report. */
  async #every(ms: number, act: () => Promise<void>): Promise<void> {
    const { clock, telemetry } = this.#parts;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await clock.sleep(ms, signal);
      if (signal.aborted) return;
      try {
        await act();
      } catch (thrown) {
        const error = BridgeError.from(thrown, 'store-mismatch', 'by the clock');
        if (error.code === 'store-unavailable') continue;
        const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
        telemetry.emit({ kind: 'defect', where: 'by the clock', detail: `${error.message}${cause}` });
      }
    }
  }
}
