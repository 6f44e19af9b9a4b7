import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Accept } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { arrivalOf } from './arrival.ts';
import { DELIVERY_LIMIT } from './desired.ts';

const CAREFUL_AFTER = DELIVERY_LIMIT / 2;

/** How a consumption ended, and with it what the next one is to do. */
export type End =
  | { readonly kind: 'stopped' }
  /** Nothing is wrong: go on at once, the other way. */
  | { readonly kind: 'switch'; readonly careful: boolean }
  | { readonly kind: 'failed'; readonly error: BridgeError };

export interface ConsumptionOptions {
  readonly queue: string;
  readonly prefetch: number;
  /** One by one: the broker then counts against one message alone. */
  readonly careful: boolean;
  /** Whether it ever switches: a keeper of dead letters stays careful. */
  readonly switches: boolean;
  readonly late: boolean;
  readonly accept: Accept;
}

/**
 * The life of one consuming channel. It is closed, never cancelled: only then does the broker give back what was
 * taken in its order. Whatever is not acknowledged by then comes again, and the engine knows it as a repeat.
 */
export class Consumption {
  /** Resolves once the channel is closed and every arrival handed over has been answered. */
  readonly over: Promise<End>;
  readonly #options: ConsumptionOptions;
  readonly #channel: Channel;
  readonly #acknowledgements = new Acknowledgements();
  readonly #resolve: (end: End) => void;
  #end: End | null = null;
  #closed = false;
  #pending = 0;
  #progressed = false;
  #acknowledging = false;
  #lastError: unknown = null;

  private constructor(channel: Channel, options: ConsumptionOptions) {
    const { promise, resolve } = Promise.withResolvers<End>();
    this.over = promise;
    this.#resolve = resolve;
    this.#options = options;
    this.#channel = channel;
    // A channel error without a listener escalates to the connection, and from there ends the process.
    channel.on('error', (error) => {
      this.#lastError = error;
    });
    channel.on('close', () => {
      this.#closed = true;
      this.#finish(failed('the broker closed the channel', this.#lastError));
      this.#settle();
    });
  }

  /** Begins to consume. Throws `broker-unavailable` when the channel cannot be opened. */
  static async open(connection: ChannelModel, options: ConsumptionOptions): Promise<Consumption> {
    try {
      const channel = await connection.createChannel();
      const consumption = new Consumption(channel, options);
      await channel.prefetch(options.careful ? 1 : options.prefetch);
      await channel.consume(options.queue, (message) => consumption.#take(message), { noAck: false });
      return consumption;
    } catch (cause) {
      throw new BridgeError('broker-unavailable', `could not consume ${options.queue}`, { cause });
    }
  }

  /** Whether it brought anything that was kept. */
  get progressed(): boolean {
    return this.#progressed;
  }

  /** Takes nothing more; `over` resolves once what was taken is answered. */
  stop(): void {
    this.#finish({ kind: 'stopped' });
    this.#settle();
  }

  #take(message: ConsumeMessage | null): void {
    if (this.#end !== null) return;
    if (message === null) {
      this.#finish(failed(`the broker cancelled the consumer of ${this.#options.queue}`, null));
      this.#settle();
      return;
    }
    const change = this.#options.switches ? this.#change(message) : null;
    if (change !== null) {
      this.#finish(change);
      this.#settle();
      return;
    }
    this.#hand(message);
  }

  /**
   * A message that kills takes the count of its neighbours up with it, so that in the end all of them would leave for
   * the dead-letter queue. Half way there they are taken one by one, until one comes that was never delivered. Not
   * sooner: what a careful consumer gives back goes behind everything else that was given back, and order is gone.
   * (The arrival that ends it is given back alone, which is harmless; no prefetch is changed under a consumer.)
   */
  #change(message: ConsumeMessage): End | null {
    const { careful, prefetch } = this.#options;
    if (careful)
      return message.fields.redelivered || prefetch === 1 ? null : { kind: 'switch', careful: false };
    return deliveriesOf(message) < CAREFUL_AFTER ? null : { kind: 'switch', careful: true };
  }

  #hand(message: ConsumeMessage): void {
    this.#pending += 1;
    const { accept, late, queue } = this.#options;
    accept(arrivalOf(message, late))
      .then(
        () => this.#answered(message.fields.deliveryTag),
        (cause) => this.#finish(failed(`the engine could not keep what ${queue} brought`, cause)),
      )
      .finally(() => {
        this.#pending -= 1;
        this.#settle();
      });
  }

  /** Gathers the answers of one batch, which come in one turn of the loop, into one acknowledgement. */
  #answered(tag: number): void {
    this.#acknowledgements.answered(tag);
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    queueMicrotask(() => {
      this.#acknowledging = false;
      this.#acknowledge();
    });
  }

  #acknowledge(): void {
    const tag = this.#acknowledgements.reach();
    if (tag === null || this.#closed) return;
    try {
      this.#progressed = true;
      this.#channel.ack({ fields: { deliveryTag: tag } } as ConsumeMessage, true);
    } catch (cause) {
      // The connection is on its way down. The broker brings these again and the engine knows them.
      this.#finish(failed('the connection closed before an acknowledgement', cause));
    }
  }

  /** The first reason counts. */
  #finish(end: End): void {
    this.#end ??= end;
  }

  #settle(): void {
    if (this.#end === null || this.#pending > 0) return;
    const end = this.#end;
    this.#acknowledge();
    if (this.#closed) {
      this.#resolve(end);
      return;
    }
    this.#closed = true;
    closeChannel(this.#channel).then(
      () => this.#resolve(end),
      () => this.#resolve(end),
    );
  }
}

/** Ends a channel that may be half closed; rejects when it was. */
async function closeChannel(channel: Channel): Promise<void> {
  // Whichever comes first: the word of the broker, or the end of the connection.
  await Promise.race([channel.close(), new Promise((resolve) => channel.once('close', resolve))]);
}

function failed(message: string, cause: unknown): End {
  if (cause instanceof BridgeError) return { kind: 'failed', error: cause };
  return { kind: 'failed', error: new BridgeError('broker-unavailable', message, { cause }) };
}

/** What the broker counted so far. A hint for isolation; no decision about a message rests on it. */
function deliveriesOf({ properties }: ConsumeMessage): number {
  const count: unknown = properties.headers?.['x-delivery-count'];
  return typeof count === 'number' ? count : 0;
}
