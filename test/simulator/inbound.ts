import { Acknowledgements } from '../../channels/amqp/acknowledgements.ts';
import type { Accept, Arrival, ChannelContext, InboundChannel } from '../../engine/channel.ts';
import type { ChannelName } from '../../engine/message.ts';
import type { Broker, Consumer, Queued, QueueName } from './broker.ts';
import type { Dice } from './dice.ts';
import type { SimProcess } from './process.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import type { Watch } from './watch.ts';

export interface InboundParts {
  readonly process: SimProcess;
  readonly timeline: Timeline;
  readonly broker: Broker;
  readonly dice: Dice;
  readonly watch: Watch;
  readonly trace: Trace;
}

const TRAVEL_MS = [0, 3] as const;
const GONE_NOTICED_MS = [1, 60] as const;
const HEARTBEATS_MS = [8_000, 20_000] as const;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** As the real channel: longer than any transaction of the keeper. */
const STOP_TIMEOUT_MS = 15_000;

/** Brings what the queue holds, in its order, and beside it, one by one and marked as late, what the broker gave up. */
export class SimInbound implements InboundChannel {
  readonly name: ChannelName;
  readonly #parts: InboundParts;
  readonly #context: ChannelContext;
  readonly #prefetch: number;
  #feeds: readonly Feed[] = [];
  #runs: Promise<unknown> = Promise.resolve();

  constructor(name: ChannelName, prefetch: number, context: ChannelContext, parts: InboundParts) {
    this.name = name;
    this.#prefetch = prefetch;
    this.#context = context;
    this.#parts = parts;
  }

  async start(accept: Accept): Promise<void> {
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    const feed = (queue: QueueName, prefetch: number, onOpen: () => void) =>
      new Feed({ queue, prefetch, accept, onOpen }, this.#context, this.#parts);
    this.#feeds = [feed('main', this.#prefetch, resolve), feed('late', 1, () => undefined)];
    this.#runs = Promise.all(this.#feeds.map((one) => one.run())).then(() => resolve());
    await opened;
  }

  async stop(): Promise<void> {
    for (const feed of this.#feeds) feed.stop();
    const stopped = new AbortController();
    await Promise.race([this.#runs, this.#context.clock.sleep(STOP_TIMEOUT_MS, stopped.signal)]);
    stopped.abort();
    for (const feed of this.#feeds) feed.hangUp();
  }
}

interface FeedOptions {
  readonly queue: QueueName;
  readonly prefetch: number;
  readonly accept: Accept;
  readonly onOpen: () => void;
}

/** Keeps one queue consumed: one consumption after another, each only after the store took a probe write. */
class Feed {
  readonly #options: FeedOptions;
  readonly #context: ChannelContext;
  readonly #parts: InboundParts;
  readonly #stopping = new AbortController();
  #current: Consumption | null = null;
  #failures = 0;

  constructor(options: FeedOptions, context: ChannelContext, parts: InboundParts) {
    this.#options = options;
    this.#context = context;
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#context.storeReady(signal);
      } catch {
        // Stopped while it waited: the loop looks.
        continue;
      }
      if (this.#parts.broker.refusesNow) {
        await this.#pause();
        continue;
      }
      this.#current = new Consumption(this.#options, this.#parts);
      this.#options.onOpen();
      if (signal.aborted) this.#current.stop();
      const { failed, progressed } = await this.#current.over;
      if (progressed) this.#failures = 0;
      if (failed) await this.#pause();
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#current?.stop();
  }

  /** Whatever is under way: the connection goes. */
  hangUp(): void {
    this.#current?.hangUp();
  }

  #pause(): Promise<void> {
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    return this.#context.clock.sleep(Math.ceil(ceiling * this.#parts.dice.fraction()), this.#stopping.signal);
  }
}

/** The life of one consuming channel. What is not acknowledged when it closes comes again. */
class Consumption implements Consumer {
  readonly prefetch: number;
  readonly over: Promise<{ readonly failed: boolean; readonly progressed: boolean }>;
  readonly #options: FeedOptions;
  readonly #parts: InboundParts;
  readonly #acknowledgements = new Acknowledgements();
  readonly #resolve: (end: { readonly failed: boolean; readonly progressed: boolean }) => void;
  readonly #subscription: { acknowledge(tag: number): void; close(): void };
  #end: 'stopped' | 'failed' | null = null;
  #closed = false;
  #pending = 0;
  #progressed = false;
  #nextDeliveryAt = 0;
  #nextAcknowledgementAt = 0;

  constructor(options: FeedOptions, parts: InboundParts) {
    const { promise, resolve } = Promise.withResolvers<{
      readonly failed: boolean;
      readonly progressed: boolean;
    }>();
    this.over = promise;
    this.#resolve = resolve;
    this.#options = options;
    this.#parts = parts;
    this.prefetch = options.prefetch;
    this.#subscription = parts.broker.subscribe(options.queue, parts.process, this);
    const subscription = this.#subscription;
    parts.process.onEnd(() => {
      const noticed = parts.process.diedSilently ? HEARTBEATS_MS : GONE_NOTICED_MS;
      parts.timeline.after(parts.dice.between(noticed), () => subscription.close());
    });
  }

  deliver(message: Queued, tag: number): void {
    const { process, timeline, dice } = this.#parts;
    this.#nextDeliveryAt = Math.max(this.#nextDeliveryAt, timeline.now + dice.between(TRAVEL_MS));
    timeline.at(this.#nextDeliveryAt, () => process.hear(() => this.#take(message, tag)));
  }

  closed(): void {
    this.#parts.process.hear(() => {
      this.#closed = true;
      this.#end ??= 'failed';
      this.#settle();
    });
  }

  stop(): void {
    this.#end ??= 'stopped';
    this.#settle();
  }

  hangUp(): void {
    this.#subscription.close();
  }

  #take(message: Queued, tag: number): void {
    if (this.#end !== null) return;
    this.#pending += 1;
    const { queue, accept } = this.#options;
    const arrival: Arrival = {
      body: message.body,
      headers: { 'amqp.messageId': message.id, ...(queue === 'late' ? { 'amqp.late': 'true' } : {}) },
    };
    accept(arrival)
      .then(
        (receipt) => {
          this.#parts.watch.acknowledged(arrival, receipt);
          this.#parts.trace.add(this.#parts.process.name, `${receipt.kind} ${message.id}`);
          this.#acknowledgements.answered(tag);
          this.#acknowledge();
        },
        () => {
          this.#end ??= 'failed';
        },
      )
      .finally(() => {
        this.#pending -= 1;
        this.#settle();
      })
      .catch((thrown: unknown) => this.#parts.timeline.fail(thrown));
  }

  #acknowledge(): void {
    const tag = this.#acknowledgements.reach();
    if (tag === null || this.#closed) return;
    this.#progressed = true;
    const { timeline, dice } = this.#parts;
    this.#nextAcknowledgementAt = Math.max(
      this.#nextAcknowledgementAt,
      timeline.now + dice.between(TRAVEL_MS),
    );
    timeline.at(this.#nextAcknowledgementAt, () => this.#subscription.acknowledge(tag));
  }

  #settle(): void {
    if (this.#end === null || this.#pending > 0) return;
    const failed = this.#end === 'failed';
    this.#closed = true;
    this.#parts.timeline.at(this.#nextAcknowledgementAt, () => {
      this.#subscription.close();
      this.#parts.process.hear(() => this.#resolve({ failed, progressed: this.#progressed }));
    });
  }
}
