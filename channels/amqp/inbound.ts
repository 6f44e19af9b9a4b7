import type { Accept, ChannelContext, InboundChannel } from '../../engine/channel.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import { addressOf } from './address.ts';
import { deadLetterQueue, planTopology } from './desired.ts';
import { Feed } from './feed.ts';
import { Line } from './line.ts';
import type { AmqpInboundOptions } from './options.ts';
import { examine, firstDifference } from './topology.ts';

// Longer than any transaction of the keeper; after it the broker brings the rest to the next instance.
const STOP_TIMEOUT_MS = 15_000;

/**
 * Brings what a queue holds, in its order, and acknowledges it once the engine has kept it. Beside it a keeper takes
 * what the broker gave up on from `<queue>.dlq`, one by one, and hands it over marked `amqp.late`.
 */
export class AmqpInbound implements InboundChannel {
  readonly name: ChannelName;
  readonly #options: AmqpInboundOptions;
  readonly #context: ChannelContext;
  readonly #line: Line;
  #feeds: readonly Feed[] = [];
  #runs: Promise<unknown> = Promise.resolve();
  #open = false;
  #obstacle: ErrorCode | null = null;

  constructor(name: ChannelName, options: AmqpInboundOptions, context: ChannelContext) {
    this.name = name;
    this.#options = options;
    this.#context = context;
    this.#line = new Line(addressOf(context), context.clock);
  }

  /**
   * Resolves when the queue is consumed, however long the broker is away until then. Rejects with
   * `topology-differs` when the broker is there at the first look and does not have the queues as they must be.
   * Whoever waited for the broker waits for its queues too: that it lacks them is reported and tried again.
   */
  async start(accept: Accept): Promise<void> {
    const { queue, prefetch } = this.#options;
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    let firstLook = true;
    const main = this.#feed(
      { queue, prefetch, late: false, accept },
      {
        opened: () => {
          firstLook = false;
          resolve();
          this.#opened(`consuming ${queue}`);
        },
        closed: (error) => {
          this.#closed(error);
          if (firstLook && error.code === 'topology-differs') reject(error);
          firstLook = false;
        },
      },
    );
    const keeper = this.#feed(
      { queue: deadLetterQueue(queue), prefetch: 1, late: true, accept },
      // The main feed meets the same broker and says how it fares.
      { opened: () => undefined, closed: () => undefined },
    );
    this.#feeds = [main, keeper];
    this.#runs = Promise.all([
      main
        .run()
        .finally(() =>
          reject(new BridgeError('broker-unavailable', `${this.name} was stopped before it opened`)),
        ),
      keeper.run(),
    ]);
    try {
      await ready;
    } catch (thrown) {
      await this.stop();
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    for (const feed of this.#feeds) feed.stop();
    const stopped = new AbortController();
    await Promise.race([this.#runs, this.#context.clock.sleep(STOP_TIMEOUT_MS, stopped.signal)]);
    stopped.abort();
    await this.#line.close();
    if (this.#open) this.#context.report('closed', 'stopped');
    this.#open = false;
  }

  #feed(
    options: ConstructorParameters<typeof Feed>[0],
    says: Pick<ConstructorParameters<typeof Feed>[1], 'opened' | 'closed'>,
  ): Feed {
    const { clock, storeReady } = this.#context;
    return new Feed(options, { line: this.#line, clock, storeReady, verify: () => this.#verify(), ...says });
  }

  /** Only that the queues are there and are what they must be. Bindings are the business of `topology apply`. */
  async #verify(): Promise<void> {
    const { queues } = planTopology([{ direction: 'inbound', options: this.#options }]);
    const findings = await examine(await this.#line.connection(), {
      queues,
      exchanges: [],
      foreign: [],
      bindings: [],
    });
    const difference = firstDifference(findings);
    if (difference !== null) {
      throw new BridgeError('topology-differs', `${this.name}: ${difference.what}: ${difference.state}`);
    }
  }

  #opened(detail: string): void {
    if (this.#open) return;
    this.#open = true;
    this.#obstacle = null;
    this.#context.report('opened', detail);
  }

  /** The same obstacle is told once, however often it is met. */
  #closed({ code, message }: BridgeError): void {
    this.#open = false;
    if (this.#obstacle === code) return;
    this.#obstacle = code;
    this.#context.report('closed', message);
  }
}
