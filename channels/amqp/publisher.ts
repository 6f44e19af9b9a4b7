import { type ChannelModel, type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib';
import type { Clock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { failpoint } from '../../engine/failpoint.ts';

/** One message for an exchange; its id is what the broker names when it gives it back. */
export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly messageId: string;
  readonly properties: Options.Publish;
}

type Settlement = 'confirmed' | 'returned' | 'nacked' | 'lost' | 'late';

/** A publication the broker has not answered for. */
interface Pending {
  returned: boolean;
}

/**
 * The life of one confirm channel; any number of publications may be under way. Stored means confirmed *and* not
 * given back: RabbitMQ confirms what no queue took, after it returned it.
 */
export class Publisher {
  /** Resolves when the channel is closed, by whomever. Nothing can be published then. */
  readonly closed: Promise<void>;
  readonly #channel: ConfirmChannel;
  readonly #clock: Clock;
  /** By message id. Two of one id are under way when the first was given up on: a return is then both's. */
  readonly #pending = new Map<string, Set<Pending>>();
  readonly #waiting = new Set<() => void>();
  readonly #idle: (() => void)[] = [];
  #sending = 0;
  #open = true;
  #full = false;
  #blocked = false;

  private constructor(connection: ChannelModel, channel: ConfirmChannel, clock: Clock) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#channel = channel;
    this.#clock = clock;
    // A channel error without a listener escalates to the connection, and from there ends the process.
    channel.on('error', () => this.#end(resolve));
    channel.on('close', () => this.#end(resolve));
    channel.on('return', ({ properties }) => {
      for (const pending of this.#pending.get(String(properties.messageId)) ?? []) pending.returned = true;
    });
    channel.on('drain', () => {
      this.#full = false;
      this.#wake();
    });
    const blocked = () => {
      this.#blocked = true;
    };
    const unblocked = () => {
      this.#blocked = false;
      this.#wake();
    };
    connection.on('blocked', blocked);
    connection.on('unblocked', unblocked);
    channel.once('close', () => {
      connection.off('blocked', blocked);
      connection.off('unblocked', unblocked);
    });
  }

  /** Throws `broker-unavailable`, or `unroutable` when the exchange is not there. */
  static async open(connection: ChannelModel, exchange: string, clock: Clock): Promise<Publisher> {
    let code: unknown;
    try {
      const channel = await connection.createConfirmChannel();
      const publisher = new Publisher(connection, channel, clock);
      channel.on('error', (error: Error & { code?: number }) => {
        code = error.code;
      });
      await channel.checkExchange(exchange);
      return publisher;
    } catch (cause) {
      if (code === 404)
        throw new BridgeError('unroutable', `the broker has no exchange ${exchange}`, { cause });
      throw new BridgeError('broker-unavailable', 'the broker gave no channel to publish on', { cause });
    }
  }

  /**
   * Resolves once the broker has stored the publication. Throws `connection-failed` when nothing was written,
   * `output-invalid` when AMQP cannot carry it, `unroutable` when no queue takes it, `busy` when the broker refused
   * it, `confirm-missing` when nobody knows.
   */
  async publish(publication: Publication, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise: deadline, resolve } = Promise.withResolvers<'late'>();
    const expire = () => resolve('late');
    const callOff = this.#clock.alarm(timeoutMs, expire);
    signal.addEventListener('abort', expire, { once: true });
    if (signal.aborted) expire();
    this.#sending += 1;
    try {
      await this.#room(deadline);
      if (signal.aborted)
        throw new BridgeError('connection-failed', 'its time was over before it was published');
      answer(await Promise.race([this.#write(publication), deadline]), publication.exchange);
    } finally {
      signal.removeEventListener('abort', expire);
      callOff();
      this.#sending -= 1;
      if (this.#sending === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Resolves once every publication under way has its end. */
  async idle(): Promise<void> {
    if (this.#sending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Waits while the broker blocks the connection or the buffer of the channel is full. */
  async #room(deadline: Promise<'late'>): Promise<void> {
    while (this.#open && (this.#full || this.#blocked)) {
      const { promise, resolve } = Promise.withResolvers<'woken'>();
      const wake = () => resolve('woken');
      this.#waiting.add(wake);
      const first = await Promise.race([promise, deadline]);
      this.#waiting.delete(wake);
      if (first === 'late')
        throw new BridgeError('connection-failed', 'the broker takes nothing at the moment');
    }
    if (!this.#open) throw new BridgeError('connection-failed', 'the connection to the broker is closed');
  }

  #write({ exchange, routingKey, body, messageId, properties }: Publication): Promise<Settlement> {
    const { promise, resolve } = Promise.withResolvers<Settlement>();
    const pending: Pending = { returned: false };
    this.#add(messageId, pending);
    const settled = (error: unknown) => {
      this.#remove(messageId, pending);
      resolve(settlementOf(error, pending));
    };
    try {
      const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      this.#full = !this.#channel.publish(
        exchange,
        routingKey,
        content,
        { ...properties, messageId },
        settled,
      );
    } catch (cause) {
      this.#remove(messageId, pending);
      // A channel that is closing refuses everything. Else it is this one, such as a routing key that is too long:
      // waiting cannot help, and must not keep the others waiting.
      throw cause instanceof IllegalOperationError
        ? new BridgeError('connection-failed', 'the connection to the broker is closed', { cause })
        : new BridgeError('output-invalid', 'AMQP cannot carry what was rendered', { cause });
    }
    failpoint('M12');
    return promise;
  }

  #add(messageId: string, pending: Pending): void {
    const same = this.#pending.get(messageId);
    if (same === undefined) this.#pending.set(messageId, new Set([pending]));
    else same.add(pending);
  }

  #remove(messageId: string, pending: Pending): void {
    const same = this.#pending.get(messageId);
    same?.delete(pending);
    if (same?.size === 0) this.#pending.delete(messageId);
  }

  #end(resolve: () => void): void {
    this.#open = false;
    this.#wake();
    resolve();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function settlementOf(error: unknown, { returned }: Pending): Settlement {
  // amqplib tells its two errors apart by their text alone: this one, and "channel closed".
  if (error instanceof Error) return error.message === 'message nacked' ? 'nacked' : 'lost';
  return returned ? 'returned' : 'confirmed';
}

function answer(settlement: Settlement, exchange: string): void {
  switch (settlement) {
    case 'confirmed':
      return;
    case 'returned':
      throw new BridgeError('unroutable', `no queue is bound to ${exchange} for the message`);
    case 'nacked':
      throw new BridgeError('busy', `a queue behind ${exchange} did not take the message`);
    case 'lost':
      throw new BridgeError('confirm-missing', 'the connection to the broker closed before the confirm');
    case 'late':
      throw new BridgeError('confirm-missing', 'the broker did not confirm in time');
  }
}
