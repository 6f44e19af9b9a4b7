import { type Attempted, attempt } from './attempt.ts';
import type { BreakerState } from './breaker.ts';
import type { OutboundChannel } from './channel.ts';
import type { Clock } from './clock.ts';
import { next } from './delivery.ts';
import { BridgeError } from './errors.ts';
import { failpoint } from './failpoint.ts';
import { Gate } from './gate.ts';
import type { ChannelName, DeliveryId, Message } from './message.ts';
import type { OutboundPlan, Plan } from './plan.ts';
import type { Random } from './random.ts';
import { DEFAULT_RETRY } from './retry.ts';
import type { Settler } from './settler.ts';
import type { Slots } from './slots.ts';
import type { Edition, Store, Work } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export interface DispatcherParts {
  readonly name: ChannelName;
  readonly channel: OutboundChannel;
  readonly plan: () => Plan;
  readonly store: Store;
  readonly settler: Settler;
  /** Puts an edition on disk; false when its delivery is no longer this instance's. */
  readonly write: (edition: Edition) => Promise<boolean>;
  /** Whether this instance can still prove that it lives. */
  readonly maySend: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/** How one delivery is begun. */
interface Beginning {
  readonly decoded: Message | null;
  /** It is what tries a channel that was away. */
  readonly trial: boolean;
  /** Aborted once it is another's. */
  readonly disowned: AbortSignal;
}

/**
 * Moves the deliveries of one outbound channel out: claim, attempt, settle, and on to the next of the
 * lane. A sliding window of slots: this instance's share of the hospital's `maxInFlight`, as far as
 * the gate stands open.
 */
export class Dispatcher implements Slots {
  readonly #parts: DispatcherParts;
  readonly #gate: Gate;
  readonly #running = new Map<DeliveryId, Promise<void>>();
  /** Aborted when this instance is declared lost, with all that it had taken until then. */
  #owning = new AbortController();
  #reserved = 0;
  #share = 0;
  /** There may be queued work that nobody here has taken yet. */
  #backlog = true;
  #claiming: Promise<void> | null = null;
  /** A claim waits for the end of this turn. */
  #gathering = false;
  readonly #waiting: (() => void)[] = [];
  #stopped = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const { name, store, clock, random, telemetry } = parts;
    this.#gate = new Gate({
      name,
      store,
      clock,
      random,
      telemetry,
      opened: () => this.wake(),
      trial: () => this.#trial(),
    });
  }

  get name(): ChannelName {
    return this.#parts.name;
  }

  /** Slots in use or set aside. */
  get inFlight(): number {
    return this.#running.size + this.#reserved;
  }

  /** The deliveries it holds in memory. */
  held(): readonly DeliveryId[] {
    return [...this.#running.keys()];
  }

  /** Gives it its share of `maxInFlight`. What runs beyond a smaller share runs out. */
  shareOut(share: number): void {
    this.#share = share;
    this.#claim();
  }

  /** Lets go of all that is under way, and of its share: they are others' now. What has not left yet never will. */
  disown(): void {
    this.#owning.abort();
    this.#owning = new AbortController();
    this.shareOut(0);
  }

  /** The breaker as it was last seen. */
  get breaker(): BreakerState {
    return this.#gate.breaker;
  }

  /** Takes the breaker as the database has it. Until the first time nothing is sent. */
  follow(breaker: BreakerState): void {
    this.#gate.follow(breaker);
  }

  /** Tries a channel that was away when the pause of its breaker is over. */
  tryAgain(): void {
    if (this.#hasSlot()) this.#gate.tryAgain(this.#outbound?.deadlineMs ?? 0);
  }

  /** Looks for queued work. Cheap when there is none. */
  wake(): void {
    this.#backlog = true;
    this.#claim();
  }

  queued(): void {
    this.wake();
  }

  reserve(): boolean {
    // Slots about to be claimed for are for what has waited longer.
    if (this.#gathering || this.#free() <= 0) return false;
    this.#reserved += 1;
    return true;
  }

  release(): void {
    this.#reserved -= 1;
    this.#left();
    this.#claim();
  }

  start(work: Work, decoded: Message | null): void {
    this.#reserved -= 1;
    this.#run(work, { decoded, trial: false, disowned: this.#owning.signal });
  }

  /** Claims nothing new, then resolves once everything under way is settled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#gate.idle();
    await this.#claiming;
    // What is reserved may still begin: a batch that decides on it is on its way to the store.
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await this.#gate.idle();
  }

  /** Tells whoever waits for the end of everything under way. */
  #left(): void {
    if (this.inFlight > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Whether one more send is within the share, whatever the gate says. */
  #hasSlot(): boolean {
    return !this.#stopped && this.inFlight < this.#share;
  }

  get #outbound(): OutboundPlan | undefined {
    return this.#parts.plan().outbound.get(this.name);
  }

  #free(): number {
    return this.#stopped ? 0 : Math.min(this.#share, this.#gate.width) - this.inFlight;
  }

  #claim(): void {
    if (this.#claiming !== null || !this.#backlog || this.#free() <= 0) return;
    this.#gathering = true;
    this.#claiming = this.#claimAll().finally(() => {
      this.#claiming = null;
    });
  }

  async #claimAll(): Promise<void> {
    // A batch of settlements frees its slots one by one, all in this turn: they are claimed for together.
    await this.#parts.clock.turn();
    this.#gathering = false;
    while (this.#backlog && this.#free() > 0) {
      this.#backlog = false;
      const limit = this.#free();
      const { claimed } = await this.#claimUpTo(limit, false);
      if (claimed === limit) this.#backlog = true;
    }
  }

  /** Claims up to `limit` and runs what comes. Resolves with how many came, and how many of them began. */
  async #claimUpTo(limit: number, trial: boolean) {
    const { store, plan } = this.#parts;
    const routes = [...plan().routes.values()]
      .filter((route) => route.to === this.name)
      .map(({ name }) => name);
    // Taken before it is asked for: what is claimed by an instance that is lost meanwhile is not this one's.
    const { signal: disowned } = this.#owning;
    this.#reserved += limit;
    let claimed: readonly Work[] = [];
    try {
      failpoint('M4');
      claimed = await store.claim(this.name, routes, limit);
    } catch (thrown) {
      this.#lost('claim', thrown);
    }
    // In one turn: nobody may take the slots between their reservation and their use.
    this.#reserved -= limit;
    // Taken over while its send was under way here, and claimed again before that was known: never two at once. What
    // that send comes to is fenced, and the look for what memory does not hold gives the delivery back.
    const fresh = claimed.filter(({ delivery }) => !this.#running.has(delivery.id));
    for (const work of fresh) this.#run(work, { decoded: null, trial, disowned });
    this.#left();
    return { claimed: claimed.length, begun: fresh.length };
  }

  /** Tries a channel that was away with the one delivery that is due the longest. */
  async #trial(): Promise<boolean> {
    return this.#hasSlot() && (await this.#claimUpTo(1, true)).begun > 0;
  }

  #run(work: Work, beginning: Beginning): void {
    const { id } = work.delivery;
    const done = this.#deliver(work, beginning).then((promoted) => {
      this.#running.delete(id);
      if (promoted !== null) this.#run(promoted, { ...beginning, decoded: null, trial: false });
      else this.#claim();
      this.#left();
    });
    this.#running.set(id, done);
  }

  /** One attempt, from start to settled. Resolves with the next of its lane when that came along. */
  async #deliver(work: Work, beginning: Beginning): Promise<Work | null> {
    const { clock, store, telemetry } = this.#parts;
    const { trial, disowned } = beginning;
    const startedAt = clock.now();
    // What begins by a plan ends by it.
    const plan = this.#parts.plan();
    const { generation } = this.#gate.breaker;
    const { id, route, channel } = work.delivery;
    try {
      if (this.#stopped || (work.edition === null && !plan.routes.has(route))) {
        // Reserved before the stop, or the next of a lane by a route that only the plan of another instance has.
        await store.release([id]);
        store.wake([channel]);
        return null;
      }
      const attempted = await this.#attempt(work, beginning, plan);
      if (attempted === null) {
        telemetry.emit({ kind: 'settle-fenced', id, route, channel });
        return null;
      }
      if (attempted.kind !== 'render' && !disowned.aborted)
        this.#gate.observe(attempted.outcome, { trial, generation });
      const promoted = await this.#settle(work, attempted, { plan, startedAt });
      // What never left shows nothing of the far side: without another one at once, each that came too late would cost a pause.
      if (trial && attempted.kind === 'render') this.#gate.tryAnother();
      return promoted;
    } catch (thrown) {
      // Nothing was settled: the row is still ours, and the look for what memory does not hold gives it back.
      this.#lost('deliver', thrown);
      return null;
    }
  }

  #attempt(work: Work, { decoded, disowned }: Beginning, plan: Plan): Promise<Attempted | null> {
    const { channel, clock, write } = this.#parts;
    const maySend = () => !disowned.aborted && this.#parts.maySend();
    const outbound = plan.outbound.get(this.name);
    if (outbound === undefined) throw new BridgeError('route-gone', `${this.name} is not in the plan`);
    return attempt(work, decoded, { plan, outbound, channel, clock, write, maySend, disowned });
  }

  async #settle(
    work: Work,
    attempted: Attempted,
    { plan, startedAt }: { readonly plan: Plan; readonly startedAt: Date },
  ): Promise<Work | null> {
    const { clock, random, settler } = this.#parts;
    const route = plan.routes.get(work.delivery.route) ?? null;
    const outbound = plan.outbound.get(this.name);
    const standing = next(work.delivery, attempted.outcome, {
      retry: route?.retry ?? DEFAULT_RETRY,
      repeats: outbound?.repeats ?? 'unsafe',
      settleAfterMs: outbound?.probe?.settleAfterMs ?? 0,
      now: clock.now(),
      fraction: random.fraction(),
    });
    // The next of the lane takes this slot over, unless others have waited for one longer.
    const promoteHot = !this.#stopped && !this.#backlog && this.#free() >= 0;
    const ended = { work, attempted, next: standing, route, startedAt, promoteHot, audit: null };
    const { promoted } = await settler.settle(ended);
    if (!promoteHot || standing.kind === 'again') this.#backlog = true;
    return promoted;
  }

  /** The beat notices a lost store and says so; anything else that comes here is a defect. */
  #lost(where: string, thrown: unknown): void {
    const error = BridgeError.from(thrown, 'store-mismatch', this.name);
    if (error.code === 'store-unavailable') return;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    this.#parts.telemetry.emit({
      kind: 'defect',
      where: `${where} ${this.name}`,
      detail: `${error.message}${cause}`,
    });
  }
}
