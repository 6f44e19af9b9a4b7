import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type MessageId = Branded<string, 'MessageId'>;
export type DeliveryId = Branded<string, 'DeliveryId'>;
export type EditionId = Branded<string, 'EditionId'>;
export type ChannelName = Branded<string, 'ChannelName'>;
export type RouteName = Branded<string, 'RouteName'>;
export type SystemName = Branded<string, 'SystemName'>;

/** The shape a body is in while it travels. FHIR is `json` with a profile. */
export type Form = 'bytes' | 'json' | 'xml' | 'hl7v2';

/** The hospital of a message whose hospital could not be told. */
export const NO_HOSPITAL = '-' as SystemName;

/** Channels that no one configures: what the booking machine says, what the engine says, and what time says. */
export const BOOKINGS = 'bookings' as ChannelName;
export const ENGINE = 'engine' as ChannelName;
export const TIMER = 'timer' as ChannelName;

/** One message, immutable: the bytes as received, or a later form of them. */
export interface Message<Body = unknown> {
  readonly id: MessageId;
  /** Shared by every message of one conversation: the booking's reference, or the id of its first message. */
  readonly correlation: string;
  /** The message this one was made from; null when it came from outside. */
  readonly cause: MessageId | null;
  /** Where it came in; `bookings` or `engine` when it was made here. */
  readonly channel: ChannelName;
  /** Domain type, dotted: `booking.requested`. `-` when it could not be told. */
  readonly type: string;
  /** Whose data this is; `-` when it could not be told. */
  readonly hospital: SystemName;
  /** Headers of the protocol by lower-case name; the protocol's own properties carry its kind: `amqp.messageId`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Form;
  readonly body: Body;
  readonly receivedAt: Date;
}

/** The same message in its next form. */
export function withBody<Body>(message: Message, form: Form, body: Body): Message<Body> {
  return { ...message, form, body };
}

/** A word by which people look a message up. A private one is kept as a keyed digest and found by exact value only. */
export interface SearchKey {
  readonly name: string;
  readonly value: string;
  readonly private: boolean;
}

const DIGITS = Buffer.from('0123456789abcdef');
/** The text of one id after the other is put together here, at these places, and then made a string at once. */
const TEXT = Buffer.alloc(36, '-');
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;

/** A UUIDv7 (RFC 9562 section 5.7): 48 bits of the clock's milliseconds, 74 of chance. */
export function newId<Id extends string>(clock: Clock, random: Random): Id {
  const bytes = random.bytes(16);
  const ms = clock.now().getTime();
  const [high, low] = [Math.floor(ms / 0x10000), ms % 0x10000];
  bytes[0] = high >>> 24;
  bytes[1] = high >>> 16;
  bytes[2] = high >>> 8;
  bytes[3] = high;
  bytes[4] = low >>> 8;
  bytes[5] = low;
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  for (let at = 0; at < 16; at += 1) {
    const [byte, place] = [bytes[at] ?? 0, PLACES[at] ?? 0];
    TEXT[place] = DIGITS[byte >>> 4] ?? 0;
    TEXT[place + 1] = DIGITS[byte & 0x0f] ?? 0;
  }
  return TEXT.toString('latin1') as Id;
}

/** The instant a UUIDv7 was made at, which is also the day its row is kept under. */
export function instantOf(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}
