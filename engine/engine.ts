import { Batcher } from './batch.ts';
import type { Desk } from './booking.ts';
import type { ChannelContext, ChannelKind, InboundChannel, OutboundChannel } from './channel.ts';
import type { Clock, SystemClock } from './clock.ts';
import { Dispatcher } from './dispatcher.ts';
import { BridgeError } from './errors.ts';
import { failpoint } from './failpoint.ts';
import { Intake } from './intake.ts';
import type { Digest } from './lane.ts';
import { Life } from './membership.ts';
import type { ChannelName, DeliveryId } from './message.ts';
import type { ChannelPlan, OutboundPlan, Plan } from './plan.ts';
import type { Random } from './random.ts';
import { Settler } from './settler.ts';
import { type Division, NOT_YET, shareOf } from './shares.ts';
import { reservationOver } from './slots.ts';
import type { Edition, Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

const POLL_MS = 1_000;
const DEADLINES_MS = 2_000;
const ORPHANS_MS = 5_000;
const LEDGER_MS = 60_000;
const WOKEN_AT_ONCE = 200;

export interface EngineParts {
  readonly plan: Plan;
  readonly kinds: readonly ChannelKind[];
  readonly store: Store;
  readonly desk: Desk;
  readonly clock: Clock;
  readonly follow: SystemClock['follow'];
  readonly random: Random;
  readonly digest: Digest;
  readonly telemetry: Telemetry;
}

interface Inbound {
  readonly fingerprint: string;
  readonly channel: InboundChannel;
}

interface Outbound {
  readonly fingerprint: string;
  readonly channel: OutboundChannel;
  readonly dispatcher: Dispatcher;
  share: number;
}

/** The engine at work: its channels, its dispatchers, its place among the living, and what it does by the clock. */
export class Engine {
  readonly #parts: EngineParts;
  readonly #inbound = new Map<ChannelName, Inbound>();
  readonly #outbound = new Map<ChannelName, Outbound>();
  readonly #intake: Intake;
  readonly #settler: Settler;
  readonly #editions: Batcher<Edition, boolean>;
  readonly #life: Life;
  /** Aborted when stopping begins, and when everything under way has ended. */
  readonly #ending = new AbortController();
  readonly #stopping = new AbortController();
  #plan: Plan;
  #division: Division = NOT_YET;
  #suspects: ReadonlySet<DeliveryId> = new Set();
  #loops: Promise<unknown> = Promise.resolve();
  #changing: Promise<void> = Promise.resolve();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#plan = parts.plan;
    const { store, desk, clock, random, digest, telemetry, follow } = parts;
    const handOver = {
      reservation: () =>
        reservationOver(
          (channel) => this.#outbound.get(channel)?.dispatcher,
          (channels) => store.wake(channels),
        ),
    };
    const shared = { plan: () => this.#plan, desk, store, clock, random, digest, telemetry, handOver };
    this.#intake = new Intake(shared);
    this.#settler = new Settler({ ...shared, stopping: this.#ending.signal });
    this.#editions = new Batcher((editions) => store.writeEditions(editions));
    this.#life = new Life({
      store,
      clock,
      follow,
      telemetry,
      planHash: () => this.#plan.hash,
      graceMs: () => Math.max(0, ...[...this.#plan.outbound.values()].map(({ deadlineMs }) => deadlineMs)),
      keepsTo: () =>
        [...this.#outbound.values()].every(({ dispatcher, share }) => dispatcher.inFlight <= share),
      onPulse: (division, breakers, tookOver) => {
        this.#division = division;
        for (const [name, { dispatcher }] of this.#outbound) {
          this.#shareOut(name);
          dispatcher.follow(breakers.get(name));
          if (tookOver) dispatcher.wake();
        }
      },
      onWake: (channels) => {
        for (const name of channels) this.#outbound.get(name)?.dispatcher.wake();
      },
    });
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Joins the living, opens outbound channels and then inbound ones. Rejects when the store is away. */
  async start(): Promise<void> {
    const { store, telemetry } = this.#parts;
    await store.savePlan(this.#plan.hash, this.#plan.files);
    await this.#life.join();
    await this.#openOutbound();
    await this.#openInbound();
    telemetry.emit({ kind: 'plan-activated', hash: this.#plan.hash, routes: this.#plan.routes.size });
    const { signal } = this.#stopping;
    this.#loops = Promise.all([
      this.#life.run(signal),
      this.#every(POLL_MS, () => this.#poll()),
      this.#every(DEADLINES_MS, () => this.#wakeBookings()),
      this.#every(ORPHANS_MS, () => this.#releaseOrphans()),
      this.#every(LEDGER_MS, () => this.#checkLedger()),
    ]);
  }

  /**
   * Puts another plan in force. Routes and templates change at once; a channel is closed and opened
   * again only when its own options changed. What is under way ends by the plan it began with.
   */
  activate(plan: Plan): Promise<void> {
    this.#changing = this.#changing.then(() => this.#activate(plan));
    return this.#changing;
  }

  /** Takes nothing new, lets what is under way end, and leaves the living. */
  async stop(): Promise<void> {
    await this.#changing;
    this.#ending.abort();
    await Promise.all([...this.#inbound.values()].map(({ channel }) => channel.stop()));
    await this.#intake.idle();
    await Promise.all([...this.#outbound.keys()].map((name) => this.#closeOutbound(name)));
    await this.#settler.idle();
    this.#stopping.abort();
    await this.#loops;
    await this.#life.leave();
  }

  async #activate(plan: Plan): Promise<void> {
    const { store, telemetry } = this.#parts;
    await store.savePlan(plan.hash, plan.files);
    failpoint('M16');
    const old = {
      inbound: this.#changed(this.#inbound, plan.inbound),
      outbound: this.#changed(this.#outbound, plan.outbound),
    };
    await Promise.all(old.inbound.map((name) => this.#closeInbound(name)));
    this.#plan = plan;
    await Promise.all(old.outbound.map((name) => this.#closeOutbound(name)));
    await this.#openOutbound();
    await this.#openInbound();
    telemetry.emit({ kind: 'plan-activated', hash: plan.hash, routes: plan.routes.size });
  }

  #changed(
    open: ReadonlyMap<ChannelName, { readonly fingerprint: string }>,
    planned: ReadonlyMap<ChannelName, ChannelPlan>,
  ): ChannelName[] {
    return [...open]
      .filter(([name, { fingerprint }]) => planned.get(name)?.fingerprint !== fingerprint)
      .map(([name]) => name);
  }

  async #openOutbound(): Promise<void> {
    for (const [name, outbound] of this.#plan.outbound) {
      if (this.#outbound.has(name)) continue;
      const channel = this.#createOutbound(outbound);
      await channel.start();
      const dispatcher = this.#dispatcher(name, channel);
      this.#outbound.set(name, { fingerprint: outbound.fingerprint, channel, dispatcher, share: 0 });
    }
    for (const name of this.#outbound.keys()) this.#shareOut(name);
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

  async #openInbound(): Promise<void> {
    for (const [name, inbound] of this.#plan.inbound) {
      if (this.#inbound.has(name)) continue;
      const create = this.#kind(inbound).inbound?.create;
      if (create === undefined) throw new BridgeError('config-invalid', `${inbound.kind} brings nothing in`);
      const channel = create(name, inbound.options as never, this.#context(inbound));
      this.#inbound.set(name, { fingerprint: inbound.fingerprint, channel });
      await channel.start((arrival) => this.#intake.accept(name, arrival));
    }
  }

  #createOutbound(outbound: OutboundPlan): OutboundChannel {
    const create = this.#kind(outbound).outbound?.create;
    if (create === undefined) throw new BridgeError('config-invalid', `${outbound.kind} sends nothing out`);
    return create(outbound.name, outbound.options as never, this.#context(outbound));
  }

  #kind({ kind }: ChannelPlan): ChannelKind {
    const found = this.#parts.kinds.find((candidate) => candidate.kind === kind);
    if (found === undefined) throw new BridgeError('config-invalid', `${kind} is no kind of channel`);
    return found;
  }

  #context({ name, system }: ChannelPlan): ChannelContext {
    const { clock, telemetry, store } = this.#parts;
    return {
      system,
      connections: this.#plan.systems.get(system)?.connections ?? {},
      clock,
      report: (state, detail) => telemetry.emit({ kind: `channel-${state}`, channel: name, detail }),
      storeReady: (signal) => store.ready(signal),
    };
  }

  async #closeInbound(name: ChannelName): Promise<void> {
    await this.#inbound.get(name)?.channel.stop();
    this.#inbound.delete(name);
  }

  async #closeOutbound(name: ChannelName): Promise<void> {
    const outbound = this.#outbound.get(name);
    await outbound?.dispatcher.stop();
    await outbound?.channel.stop();
    this.#outbound.delete(name);
  }

  #shareOut(name: ChannelName): void {
    const outbound = this.#outbound.get(name);
    const planned = this.#plan.outbound.get(name);
    if (outbound === undefined || planned === undefined) return;
    outbound.share = shareOf(planned.maxInFlight, this.#division, outbound.share);
    outbound.dispatcher.shareOut(outbound.share);
  }

  async #poll(): Promise<void> {
    for (const { dispatcher } of this.#outbound.values()) {
      dispatcher.follow(undefined);
      dispatcher.wake();
    }
  }

  async #wakeBookings(): Promise<void> {
    const due = await this.#parts.store.bookingsToWake(WOKEN_AT_ONCE);
    await Promise.all(
      due.map(({ reference, hospital, version }) => this.#intake.wake(reference, hospital, version)),
    );
  }

  /** What the table says is ours and memory has not held at two looks in a row is nobody's: given back. */
  async #releaseOrphans(): Promise<void> {
    const { store, telemetry } = this.#parts;
    const owned = await store.owned();
    const held = new Set([...this.#outbound.values()].flatMap(({ dispatcher }) => dispatcher.held()));
    const missing = owned.filter((id) => !held.has(id));
    const orphans = missing.filter((id) => this.#suspects.has(id));
    this.#suspects = new Set(missing);
    if (orphans.length === 0) return;
    const count = await store.release(orphans);
    if (count > 0) telemetry.emit({ kind: 'orphans-released', count });
  }

  async #checkLedger(): Promise<void> {
    const { store, telemetry } = this.#parts;
    const messages = await store.ledgerDifferences();
    if (messages.length > 0) telemetry.emit({ kind: 'ledger-differs', messages });
  }

  /** Does something by the clock until the engine stops. A lost store is the beat's to report. */
  async #every(ms: number, act: () => Promise<void>): Promise<void> {
    const { clock, telemetry } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(ms, signal);
      if (signal.aborted) return;
      try {
        await act();
      } catch (thrown) {
        const error = BridgeError.from(thrown, 'store-mismatch', act.name);
        if (error.code !== 'store-unavailable') {
          telemetry.emit({
            kind: 'defect',
            where: 'by the clock',
            detail: `${error.message}: ${String(error.cause)}`,
          });
        }
      }
    }
  }
}
