import type { Booking, BookingContext } from '../../booking.ts';
import type { Delivery } from '../../delivery.ts';
import { BridgeError, CATALOGUE, type ErrorCode } from '../../errors.ts';
import type {
  ChannelName,
  DeliveryId,
  EditionId,
  Form,
  Message,
  MessageId,
  RouteName,
  SystemName,
} from '../../message.ts';
import type { Seal } from '../../seal.ts';
import type { StoredEdition, Work } from '../../store.ts';

/** Puts a JSON value into a sealed column. */
export function sealJson(seal: Seal, rowId: string, value: unknown): Buffer {
  return seal.seal(rowId, Buffer.from(JSON.stringify(value)));
}

/** Reads a JSON value out of a sealed column. The type is the one it was sealed with. */
export function openJson<T>(seal: Seal, rowId: string, sealed: Buffer): T {
  return JSON.parse(seal.open(rowId, sealed).toString('utf8')) as T;
}

interface SealedError {
  readonly code: string;
  readonly message: string;
  readonly at?: string;
  readonly details: BridgeError['details'];
}

/** An error without its cause. */
export function sealError(seal: Seal, rowId: string, { code, message, at, details }: BridgeError): Buffer {
  return sealJson(seal, rowId, { code, message, ...(at === undefined ? {} : { at }), details });
}

/** The error of a row, from its sealed column or else its code; a code this version does not know reads as a defect that names it. */
export function openError(seal: Seal, rowId: string, code: string, sealed: Buffer | null): BridgeError {
  if (sealed === null) return errorOf(code, null, undefined, {});
  const { code: was, message, at, details } = openJson<SealedError>(seal, rowId, sealed);
  return errorOf(was, message, at, details);
}

function errorOf(
  code: string,
  message: string | null,
  at: string | undefined,
  details: BridgeError['details'],
): BridgeError {
  if (!(code in CATALOGUE))
    return new BridgeError('store-mismatch', `the unknown error ${code}`, { at, details });
  const known = code as ErrorCode;
  return new BridgeError(known, message ?? CATALOGUE[known].summary, { at, details });
}

/** The columns of a booking as `pg` reads them; int8 comes as text. */
export interface BookingRow {
  readonly reference: string;
  readonly hospital: string;
  readonly state: string;
  readonly context: Buffer;
  readonly version: string;
  readonly wake_at: Date | null;
}

export function bookingOf(seal: Seal, row: BookingRow): Booking {
  return {
    reference: row.reference,
    hospital: row.hospital as SystemName,
    state: row.state,
    context: openJson<BookingContext>(seal, row.reference, row.context),
    version: Number(row.version),
    wakeAt: row.wake_at,
  };
}

/** The columns of `WORK` in statements.ts. */
export interface WorkRow {
  readonly id: string;
  readonly state: string;
  readonly message_id: string;
  readonly route: string;
  readonly channel: string;
  readonly hospital: string;
  readonly lane: Buffer | null;
  readonly edition: string;
  readonly tries: number;
  readonly attempts: number;
  readonly ambiguous: boolean;
  readonly booking_ref: string | null;
  readonly kept_at: Date;
  readonly give_up_at: Date;
  readonly last_sent_at: Date | null;
  readonly correlation: string;
  readonly cause: string | null;
  readonly message_channel: string;
  readonly type: string;
  readonly message_hospital: string;
  readonly headers: Buffer;
  readonly form: string;
  readonly body: Buffer;
  readonly received_at: Date;
  readonly booking_hospital: string | null;
  readonly booking_state: string | null;
  readonly context: Buffer | null;
  readonly version: string | null;
  readonly wake_at: Date | null;
  readonly edition_key: string | null;
  readonly edition_body: Buffer | null;
  readonly envelope: Buffer | null;
}

export function workOf(seal: Seal, row: WorkRow): Work {
  return {
    delivery: deliveryOf(row),
    message: messageOf(seal, {
      ...row,
      id: row.message_id,
      channel: row.message_channel,
      hospital: row.message_hospital,
    }),
    bookingRef: row.booking_ref,
    booking: workBooking(seal, row),
    edition: workEdition(seal, row),
    lastSentAt: row.last_sent_at,
  };
}

type DeliveryRow = Pick<
  WorkRow,
  | 'id'
  | 'message_id'
  | 'route'
  | 'channel'
  | 'hospital'
  | 'lane'
  | 'edition'
  | 'tries'
  | 'attempts'
  | 'ambiguous'
  | 'kept_at'
  | 'give_up_at'
>;

export function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id as DeliveryId,
    message: row.message_id as MessageId,
    route: row.route as RouteName,
    channel: row.channel as ChannelName,
    hospital: row.hospital as SystemName,
    lane: row.lane,
    edition: row.edition as EditionId,
    tries: row.tries,
    attempts: row.attempts,
    ambiguous: row.ambiguous,
    keptAt: row.kept_at,
    giveUpAt: row.give_up_at,
  };
}

export type MessageRow = Pick<
  WorkRow,
  | 'id'
  | 'correlation'
  | 'cause'
  | 'channel'
  | 'type'
  | 'hospital'
  | 'headers'
  | 'form'
  | 'body'
  | 'received_at'
>;

export function messageOf(seal: Seal, row: MessageRow): Message<Uint8Array> {
  return {
    id: row.id as MessageId,
    correlation: row.correlation,
    cause: row.cause as MessageId | null,
    channel: row.channel as ChannelName,
    type: row.type,
    hospital: row.hospital as SystemName,
    headers: openJson<Record<string, string>>(seal, row.id, row.headers),
    form: row.form as Form,
    body: seal.open(row.id, row.body),
    receivedAt: row.received_at,
  };
}

function workBooking(seal: Seal, row: WorkRow): Booking | null {
  const { booking_ref: reference, booking_hospital: hospital, booking_state: state, context, version } = row;
  if (reference === null || hospital === null || state === null || context === null || version === null)
    return null;
  return bookingOf(seal, { reference, hospital, state, context, version, wake_at: row.wake_at });
}

function workEdition(
  seal: Seal,
  { edition, edition_key: key, edition_body: body, envelope }: WorkRow,
): StoredEdition | null {
  if (key === null || body === null || envelope === null) return null;
  return { key, body: seal.open(edition, body), envelope: openJson(seal, edition, envelope) };
}
