import type { Answer, ChannelContext, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import { addressOf } from './address.ts';
import { Line } from './line.ts';
import type { AmqpOutboundOptions } from './options.ts';
import { Publisher } from './publisher.ts';

const FIRST_PAUSE_MS = 100;
// Deliveries wait for the breaker meanwhile; it probes more often than this costs.
const MAX_PAUSE_MS = 5_000;

const CONFIRMED: Answer = {
  signals: ['confirmed'],
  otherwise: null,
  retryAfterMs: null,
  summary: 'the broker confirmed it',
  body: new Uint8Array(),
};

/** Publishes to an exchange: persistent, mandatory, and under the key of the edition as its message id. */
export class AmqpOutbound implements OutboundChannel {
  readonly name: ChannelName;
  readonly #options: AmqpOutboundOptions;
  readonly #context: ChannelContext;
  readonly #line: Line;
  readonly #stopping = new AbortController();
  /** Resolves when the first try to connect has ended, one way or the other; null from then on. Until then a send waits. */
  #trying: Promise<void> | null = null;
  #publisher: Publisher | null = null;
  #obstacle: BridgeError | null = null;
  #run: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(name: ChannelName, options: AmqpOutboundOptions, context: ChannelContext) {
    this.name = name;
    this.#options = options;
    this.#context = context;
    this.#line = new Line(addressOf(context), context.clock);
  }

  start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#trying = promise;
    this.#run = this.#connect(() => {
      this.#trying = null;
      resolve();
    });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#publisher?.idle();
    this.#stopping.abort();
    await this.#line.close();
    await this.#run;
  }

  async send(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    if (this.#trying !== null) await triedOrOver(this.#trying, signal);
    const publisher = this.#publisher;
    if (publisher === null) throw this.#unavailable();
    if (!this.#context.maySend()) {
      throw new BridgeError(
        'send-prevented',
        `${this.name} was not sent to: this instance may be taken for lost`,
      );
    }
    const { exchange, key, confirmTimeout } = this.#options;
    const publication = {
      exchange,
      routingKey: key.replaceAll('{type}', parcel.type),
      body: parcel.body,
      messageId: parcel.key,
      properties: {
        persistent: true,
        mandatory: true,
        type: parcel.type,
        ...contentTypeOf(parcel.body),
        appId: 'hisbridge',
      },
    };
    await publisher.publish(publication, confirmTimeout, signal);
    return CONFIRMED;
  }

  #unavailable(): BridgeError {
    const cause = this.#obstacle;
    // The broker is there and the exchange is not: that is for a person to see, not the network.
    if (cause?.code === 'unroutable') return new BridgeError('unroutable', cause.message, { cause });
    return new BridgeError('connection-failed', `${this.name} is not connected to its broker`, { cause });
  }

  /** One connection after another until it is stopped. `tried` hears when the first try has ended. */
  async #connect(tried: () => void): Promise<void> {
    const { report, clock } = this.#context;
    const { signal } = this.#stopping;
    let told: string | null = null;
    while (!signal.aborted) {
      try {
        this.#publisher = await this.#open();
        this.#failures = 0;
        told = null;
        report('opened', `publishing to ${this.#options.exchange}`);
        tried();
        await this.#publisher.closed;
        this.#publisher = null;
        this.#obstacle = null;
        report('closed', signal.aborted ? 'stopped' : 'the connection to the broker closed');
      } catch (thrown) {
        this.#obstacle = BridgeError.from(thrown, 'broker-unavailable', this.name);
        if (told !== this.#obstacle.message) report('closed', this.#obstacle.message);
        told = this.#obstacle.message;
      }
      tried();
      await clock.sleep(this.#pauseMs(), signal);
    }
  }

  async #open(): Promise<Publisher> {
    const connection = await this.#line.connection();
    return await Publisher.open(connection, this.#options.exchange, this.#context.clock);
  }

  #pauseMs(): number {
    const ceiling = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    return ceiling * systemRandom.fraction();
  }
}

async function triedOrOver(tried: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  await Promise.race([tried, over]);
  signal.removeEventListener('abort', abort);
}

/** CloudEvents in structured mode say so, other JSON says that; of anything else nothing is claimed. */
function contentTypeOf(body: Uint8Array): { readonly contentType?: string } {
  let event: unknown;
  try {
    event = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return {};
  }
  const isCloudEvent = typeof event === 'object' && event !== null && 'specversion' in event;
  return { contentType: isCloudEvent ? 'application/cloudevents+json' : 'application/json' };
}
