import { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import type { DawyMessage } from '../../sandbox/dawy/messages.ts';
import type { DawyEvent, Published } from '../crash/evidence.ts';
import type { BrokerNames } from './world-root.ts';

const UNSURE_TRIES = 20;

/**
 * Dawy in the test process: publishes with confirms and remembers what it was told, and listens. What it is unsure of
 * it publishes again under the same id.
 */
export class Dawy {
  readonly published: Published[] = [];
  readonly events: DawyEvent[] = [];
  readonly #names: BrokerNames;
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #sent = new Map<string, DawyMessage>();
  #ear: { readonly channel: Channel; readonly queue: string } | null = null;
  #order = 0;

  private constructor(names: BrokerNames, connection: ChannelModel, channel: ConfirmChannel) {
    this.#names = names;
    this.#connection = connection;
    this.#channel = channel;
  }

  /** Needs the topology. */
  static async open(url: string, names: BrokerNames): Promise<Dawy> {
    const connection = await connect(url);
    connection.on('error', () => undefined);
    const dawy = new Dawy(names, connection, await connection.createConfirmChannel());
    const listening = await connection.createChannel();
    const { queue } = await listening.assertQueue('', { exclusive: true });
    await listening.bindQueue(queue, names.events, '#');
    dawy.#ear = { channel: listening, queue };
    await listening.consume(queue, (message) => dawy.#hear(message), { noAck: true });
    return dawy;
  }

  /** Publishes, and remembers it once the broker has it. */
  async publish(message: DawyMessage): Promise<void> {
    this.#order += 1;
    const order = this.#order;
    this.#sent.set(message.id, message);
    for (let tries = 1; !(await this.#confirmed(message)); tries += 1) {
      if (tries >= UNSURE_TRIES) throw new RangeError(`the broker never confirmed ${message.id}`);
    }
    const { reference, hospital } = message.booking;
    const { type, id: messageId, slot } = message;
    const start = slot === undefined ? {} : { start: slot.start };
    this.published.push({ reference, hospital, type, messageId, order, ...start });
  }

  /** Publishes the same bytes under the same id once more: what every sender does that missed an answer. */
  async repeat(messageId: string): Promise<void> {
    const message = this.#sent.get(messageId);
    if (message !== undefined) await this.#confirmed(message);
  }

  /** Takes its queue away from the exchange of events: what is published comes back to whoever publishes. */
  async deafen(): Promise<void> {
    await this.#ear?.channel.unbindQueue(this.#ear.queue, this.#names.events, '#');
  }

  async listenAgain(): Promise<void> {
    await this.#ear?.channel.bindQueue(this.#ear.queue, this.#names.events, '#');
  }

  /** The ids of the messages that the engine told Dawy it refused. */
  refused(): readonly { readonly messageId: string }[] {
    return this.events
      .filter(({ type }) => type === 'message.refused')
      .flatMap(({ data }) => {
        const { messageId } = (data as { refused?: { messageId?: string } }).refused ?? {};
        return messageId === undefined ? [] : [{ messageId }];
      });
  }

  /** How many events of a type were heard, repeats once. */
  heard(type: string): number {
    return new Set(this.events.filter((event) => event.type === type).map(({ id }) => id)).size;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #confirmed(message: DawyMessage): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const properties = {
      messageId: message.id,
      contentType: 'application/json',
      persistent: true,
      mandatory: true,
    };
    const body = Buffer.from(JSON.stringify(message));
    this.#channel.publish(this.#names.bookings, message.type, body, properties, (error) => {
      resolve(error === null || error === undefined);
    });
    return promise;
  }

  #hear(message: ConsumeMessage | null): void {
    if (message === null) return;
    const { id, type, subject = '', data } = JSON.parse(message.content.toString('utf8')) as DawyEvent;
    this.events.push({ id, type, subject, data });
  }
}
