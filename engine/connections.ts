import { type BreakerState, CLOSED } from './breaker.ts';
import type { Accept, ChannelContext, ChannelKind, InboundChannel, OutboundChannel } from './channel.ts';
import type { Clock } from './clock.ts';
import type { Dispatcher } from './dispatcher.ts';
import { BridgeError } from './errors.ts';
import type { ChannelName } from './message.ts';
import type { ChannelPlan, InboundPlan, OutboundPlan, Plan } from './plan.ts';
import { type Division, NOT_YET, shareOf } from './shares.ts';
import type { Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

/** How long an inbound channel is waited for before the engine goes on without it. */
const PATIENCE_MS = 5_000;

export interface ConnectionsParts {
  readonly kinds: readonly ChannelKind[];
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly maySend: () => boolean;
  readonly accept: (name: ChannelName) => Accept;
  readonly dispatcher: (name: ChannelName, channel: OutboundChannel) => Dispatcher;
}

/** Channels of a plan that were created and not started. */
export interface Fresh {
  readonly inbound: readonly (readonly [InboundPlan, InboundChannel])[];
  readonly outbound: readonly (readonly [OutboundPlan, OutboundChannel])[];
}

interface Outbound {
  planned: OutboundPlan;
  readonly channel: OutboundChannel;
  readonly dispatcher: Dispatcher;
  share: number;
}

/** The open channels of this instance, with a dispatcher for each outbound one. */
export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #inbound = new Map<
    ChannelName,
    { readonly planned: InboundPlan; readonly channel: InboundChannel }
  >();
  readonly #outbound = new Map<ChannelName, Outbound>();
  #division: Division = NOT_YET;
  readonly #breakers = new Map<ChannelName, BreakerState>();

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
  }

  dispatcherOf(name: ChannelName): Dispatcher | undefined {
    return this.#outbound.get(name)?.dispatcher;
  }

  get dispatchers(): readonly Dispatcher[] {
    return [...this.#outbound.values()].map(({ dispatcher }) => dispatcher);
  }

  /** Whether nothing in flight is beyond its share. */
  get keepsToShares(): boolean {
    return [...this.#outbound.values()].every(({ dispatcher, share }) => dispatcher.inFlight <= share);
  }

  /** Takes how the slots are divided, and the breakers as the database has them. */
  follow(division: Division, breakers: ReadonlyMap<ChannelName, BreakerState>): void {
    this.#division = division;
    for (const [name, breaker] of breakers) {
      // A beat may have been read before a move that this instance made.
      if (breaker.generation >= this.#breakerOf(name).generation) this.#breakers.set(name, breaker);
    }
    for (const outbound of this.#outbound.values()) {
      outbound.dispatcher.follow(this.#breakerOf(outbound.planned.name));
      this.#shareOut(outbound);
      outbound.dispatcher.tryAgain();
    }
  }

  /** Has nothing under way and no share of any hospital any more, as one that joins has none: the others may have all of it. */
  disown(): void {
    this.#division = NOT_YET;
    for (const outbound of this.#outbound.values()) {
      outbound.share = 0;
      outbound.dispatcher.disown();
    }
  }

  /** Creates the channels of a plan that are not open as it wants them. Throws, with nothing changed, when one cannot be. */
  create(plan: Plan): Fresh {
    const inbound = [...plan.inbound.values()].filter((planned) => !isOpenAs(this.#inbound, planned));
    const outbound = [...plan.outbound.values()].filter((planned) => !isOpenAs(this.#outbound, planned));
    return {
      inbound: inbound.map((planned) => [planned, this.#createInbound(planned, plan)]),
      outbound: outbound.map((planned) => [planned, this.#createOutbound(planned, plan)]),
    };
  }

  async openOutbound(fresh: Fresh['outbound']): Promise<void> {
    for (const [planned, channel] of fresh) {
      await channel.start();
      const dispatcher = this.#parts.dispatcher(planned.name, channel);
      const outbound: Outbound = { planned, channel, dispatcher, share: 0 };
      // Before it has a share: a pause, or a hospital that is away, holds from the first moment.
      dispatcher.follow(this.#breakerOf(planned.name));
      this.#outbound.set(planned.name, outbound);
      this.#shareOut(outbound);
    }
  }

  async openInbound(fresh: Fresh['inbound']): Promise<void> {
    for (const [planned, channel] of fresh) {
      this.#inbound.set(planned.name, { planned, channel });
      await this.#orInBackground(planned.name, channel.start(this.#parts.accept(planned.name)));
    }
  }

  /** Closes the inbound channels that `plan` does not have, or wants otherwise; all of them without a plan. */
  async closeInbound(plan: Plan | null): Promise<void> {
    await Promise.all(
      [...this.#inbound].map(async ([name, { planned, channel }]) => {
        if (plan?.inbound.get(name)?.fingerprint === planned.fingerprint) return;
        await channel.stop();
        this.#inbound.delete(name);
      }),
    );
  }

  /** As `closeInbound`, for outbound channels. What is under way ends first. */
  async closeOutbound(plan: Plan | null): Promise<void> {
    await Promise.all(
      [...this.#outbound].map(async ([name, { planned, dispatcher, channel }]) => {
        if (plan?.outbound.get(name)?.fingerprint === planned.fingerprint) return;
        await dispatcher.stop();
        this.#breakers.set(name, dispatcher.breaker);
        await channel.stop();
        this.#outbound.delete(name);
      }),
    );
  }

  /** Takes what a plan says of the channels that stay open: how much each hospital bears at once. */
  adopt(plan: Plan): void {
    for (const outbound of this.#outbound.values()) {
      outbound.planned = plan.outbound.get(outbound.planned.name) ?? outbound.planned;
      this.#shareOut(outbound);
    }
  }

  #breakerOf(name: ChannelName): BreakerState {
    return this.#breakers.get(name) ?? CLOSED;
  }

  #shareOut(outbound: Outbound): void {
    outbound.share = shareOf(outbound.planned.maxInFlight, this.#division, outbound.share);
    outbound.dispatcher.shareOut(outbound.share);
  }

  /** Waits for a channel to open, but not for a broker that is away: then it opens when that is back. */
  async #orInBackground(name: ChannelName, opening: Promise<void>): Promise<void> {
    const { clock, telemetry } = this.#parts;
    const opened = new AbortController();
    try {
      await Promise.race([opening, clock.sleep(PATIENCE_MS, opened.signal)]);
    } finally {
      opened.abort();
      opening.catch((thrown: unknown) => {
        const { message } = BridgeError.from(thrown, 'broker-unavailable', name);
        telemetry.emit({ kind: 'channel-closed', channel: name, detail: message });
      });
    }
  }

  #createInbound(planned: InboundPlan, plan: Plan): InboundChannel {
    const create = this.#kind(planned).inbound?.create;
    if (create === undefined) throw new BridgeError('config-invalid', `${planned.kind} brings nothing in`);
    return create(planned.name, planned.options as never, this.#context(planned, plan));
  }

  #createOutbound(planned: OutboundPlan, plan: Plan): OutboundChannel {
    const create = this.#kind(planned).outbound?.create;
    if (create === undefined) throw new BridgeError('config-invalid', `${planned.kind} sends nothing out`);
    return create(planned.name, planned.options as never, this.#context(planned, plan));
  }

  #kind({ kind }: ChannelPlan): ChannelKind {
    const found = this.#parts.kinds.find((candidate) => candidate.kind === kind);
    if (found === undefined) throw new BridgeError('config-invalid', `${kind} is no kind of channel`);
    return found;
  }

  #context({ name, system }: ChannelPlan, plan: Plan): ChannelContext {
    const { clock, telemetry, store } = this.#parts;
    return {
      system,
      connections: plan.systems.get(system)?.connections ?? {},
      clock,
      report: (state, detail) => telemetry.emit({ kind: `channel-${state}`, channel: name, detail }),
      storeReady: (signal) => store.ready(signal),
      maySend: this.#parts.maySend,
    };
  }
}

function isOpenAs(
  open: ReadonlyMap<ChannelName, { readonly planned: ChannelPlan }>,
  { name, fingerprint }: ChannelPlan,
): boolean {
  return open.get(name)?.planned.fingerprint === fingerprint;
}
