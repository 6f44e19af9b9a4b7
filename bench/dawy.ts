/** Dawy: publishes bookings with confirms, and hears its events as a service would, acknowledging them in batches. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { type DawyMessage, requested, slotAt } from '../sandbox/dawy/messages.ts';
import { answer, sharedClockMs } from './remote.ts';

export interface DawyNames {
  readonly url: string;
  /** Where it publishes. */
  readonly bookings: string;
  /** The queue of its events. */
  readonly heard: string;
}

export interface Publishing {
  /** What begins every reference of this publishing: `BK-1-`. */
  readonly prefix: string;
  readonly count: number;
  /** Messages per second, evenly; null publishes as fast as confirms allow. */
  readonly perSecond: number | null;
}

/** An event as it was heard. */
export interface Heard {
  readonly reference: string;
  readonly type: string;
  readonly id: string;
  readonly atMs: number;
}

/** Everything of an event that a subscriber could tell apart. */
export interface Told {
  readonly routingKey: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** When each message was handed to the socket, by its reference. */
export interface PublishedAt {
  readonly reference: string;
  readonly atMs: number;
}

const UNCONFIRMED = 1_000;
const ACKNOWLEDGE_AT = 100;
const NOTE =
  'Follow-up after an operation of the knee. Comes with crutches, needs a room on the ground floor. '.repeat(
    3,
  );

let connection: ChannelModel;
let publishing: ConfirmChannel;
let events: Heard[] = [];
let journal: Told[] | null = null;
let awaited: { readonly count: number; resolve(atMs: number): void } | null = null;

async function open({ url, heard, bookings }: DawyNames): Promise<void> {
  connection = await connect(url);
  publishing = await connection.createConfirmChannel();
  exchange = bookings;
  const listening = await connection.createChannel();
  await listening.prefetch(4 * ACKNOWLEDGE_AT);
  let unacknowledged: ConsumeMessage | null = null;
  const acknowledge = () => {
    if (unacknowledged !== null) listening.ack(unacknowledged, true);
    unacknowledged = null;
  };
  setInterval(acknowledge, 50);
  await listening.consume(heard, (message) => {
    if (message === null) throw new Error('the queue of events is gone');
    unacknowledged = message;
    hear(message);
    if (events.length % ACKNOWLEDGE_AT === 0) acknowledge();
  });
}

let exchange = '';

interface Event {
  readonly type: string;
  readonly subject: string;
}

function hear({ content, properties, fields }: ConsumeMessage): void {
  const atMs = sharedClockMs();
  const { type, subject } = JSON.parse(content.toString()) as Event;
  journal?.push({
    routingKey: fields.routingKey,
    properties: { ...properties },
    body: content.toString(),
  });
  events.push({ reference: subject, type, id: String(properties.messageId), atMs });
  if (events.length === awaited?.count) awaited.resolve(atMs);
}

function message(prefix: string, index: number): DawyMessage {
  const number = String(index).padStart(7, '0');
  return requested({
    reference: `${prefix}${number}`,
    hospital: 'riverside',
    slot: slotAt(new Date(), 30 + (index % 300), index % 16),
    doctor: `DR-${String(index % 500).padStart(4, '0')}`,
    patient: {
      id: `P-${number}`,
      name: `Test Patient ${number}`,
      birthDate: '1970-01-01',
      phone: '+966 50 000 0000',
    },
    note: NOTE,
  });
}

/** Publishes all; resolves with when each left, once the broker has confirmed all. */
async function publish({ prefix, count, perSecond }: Publishing): Promise<readonly PublishedAt[]> {
  const messages = Array.from({ length: count }, (_, index) => {
    const made = message(prefix, index);
    return { made, body: Buffer.from(JSON.stringify(made)) };
  });
  const published: PublishedAt[] = [];
  const begin = sharedClockMs();
  let unconfirmed = 0;
  let room: (() => void) | null = null;
  let refused: unknown = null;
  const confirmed = (error: unknown) => {
    if (error !== null && error !== undefined) refused = error;
    unconfirmed -= 1;
    room?.();
  };
  for (const [index, { made, body }] of messages.entries()) {
    if (perSecond !== null) {
      const early = begin + (index * 1_000) / perSecond - sharedClockMs();
      if (early > 0) await delay(early);
    }
    while (unconfirmed >= UNCONFIRMED) {
      await new Promise<void>((resolve) => {
        room = resolve;
      });
    }
    unconfirmed += 1;
    published.push({ reference: made.booking.reference, atMs: sharedClockMs() });
    const properties = {
      persistent: true,
      messageId: made.id,
      type: made.type,
      contentType: 'application/json',
    };
    publishing.publish(exchange, made.type, body, properties, confirmed);
  }
  await publishing.waitForConfirms();
  if (refused !== null) throw refused;
  return published;
}

answer(
  {
    open,
    publish,
    /** Resolves with when the event came that makes them `count`, since they were last taken. */
    hearing: (count: number) =>
      new Promise<number>((resolve) => {
        const last = events[count - 1];
        if (last !== undefined) resolve(last.atMs);
        else awaited = { count, resolve };
      }),
    /** Remembers events as a whole from now on. */
    watch: () => {
      journal = [];
    },
    journal: () => journal ?? [],
    events: () => {
      const taken = events;
      events = [];
      return taken;
    },
  },
  () => connection?.close(),
);
