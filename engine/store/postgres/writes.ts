import type { Booking } from '../../booking.ts';
import type { Digest } from '../../lane.ts';
import { bodyDigest } from '../../lane.ts';
import type { MessageId, SearchKey } from '../../message.ts';
import type { Seal } from '../../seal.ts';
import type { BookingStep, NewMessage } from '../../store.ts';
import { finalBookings } from '../folding.ts';
import { booleans, byteas, instants, int4s, int8s, texts, uuids } from './arrays.ts';
import { sealError, sealJson } from './rows.ts';
import {
  type Call,
  call,
  WRITE_BOOKING_REFS,
  WRITE_BOOKING_STEPS,
  WRITE_BOOKINGS,
  WRITE_DELIVERIES,
  WRITE_KEYS,
  WRITE_MESSAGES,
  WRITE_REFUSALS,
} from './statements.ts';

/** What turns decisions into rows. */
export interface Encoding {
  readonly seal: Seal;
  readonly digest: Digest;
  /** The plan in force, by its hash; null before one was activated. */
  readonly plan: () => string | null;
}

/** Messages with their search keys and refusals. */
export function writeMessages(
  messages: readonly NewMessage[],
  digests: ReadonlyMap<MessageId, Buffer>,
  { seal, digest, plan }: Encoding,
): readonly Call[] {
  if (messages.length === 0) return [];
  const hash = plan();
  const of = messages.map(({ message }) => message);
  const calls = [
    call(
      WRITE_MESSAGES,
      uuids(of.map(({ id }) => id)),
      texts(of.map(({ correlation }) => correlation)),
      uuids(of.map(({ cause }) => cause)),
      texts(of.map(({ channel }) => channel)),
      texts(of.map(({ type }) => type)),
      texts(of.map(({ hospital }) => hospital)),
      texts(messages.map(({ booking }) => booking)),
      texts(of.map(({ form }) => form)),
      byteas(of.map(({ id, headers }) => sealJson(seal, id, headers))),
      byteas(of.map(({ id, body }) => seal.seal(id, body))),
      byteas(of.map(({ id, body }) => digests.get(id) ?? bodyDigest(body))),
      texts(messages.map(({ refused }) => (refused === null ? 'kept' : 'refused'))),
      byteas(
        messages.map(({ message, refused }) =>
          refused === null ? null : sealError(seal, message.id, refused),
        ),
      ),
      int4s(messages.map(({ deliveries }) => deliveries.length)),
      texts(of.map(() => hash)),
      instants(of.map(({ receivedAt }) => receivedAt)),
    ),
  ];
  const keys = messages.flatMap(({ message, search }) => keyRows(message.id, search, digest));
  if (keys.length > 0) {
    calls.push(
      call(
        WRITE_KEYS,
        uuids(keys.map(({ id }) => id)),
        texts(keys.map(({ name }) => name)),
        texts(keys.map(({ value }) => value)),
        booleans(keys.map((key) => key.private)),
      ),
    );
  }
  const refused = messages.filter((message) => message.refused !== null);
  if (refused.length > 0) {
    calls.push(
      call(
        WRITE_REFUSALS,
        uuids(refused.map(({ message }) => message.id)),
        texts(refused.map(({ message }) => message.channel)),
        texts(refused.map(({ message }) => message.type)),
        texts(refused.map(({ message }) => message.hospital)),
        texts(refused.map(({ booking }) => booking)),
        texts(refused.map((message) => message.refused?.code ?? null)),
      ),
    );
  }
  return calls;
}

interface KeyRow {
  readonly id: MessageId;
  readonly name: string;
  readonly value: string;
  readonly private: boolean;
}

/** The search keys of one message, each once: two places may name the same thing. */
function keyRows(id: MessageId, search: readonly SearchKey[], digest: Digest): readonly KeyRow[] {
  const rows: KeyRow[] = [];
  for (const key of search) {
    const value = key.private ? digest.search(key.name, key.value).toString('hex') : key.value;
    if (rows.some((row) => row.name === key.name && row.value === value)) continue;
    rows.push({ id, name: key.name, value, private: key.private });
  }
  return rows;
}

/** The deliveries of new messages, in their order; one call, or none. `me` owns the ones that begin hot. */
export function writeDeliveries(messages: readonly NewMessage[], me: string | null): readonly Call[] {
  const rows = messages.flatMap(({ message, booking, deliveries }) =>
    deliveries.map((delivery) => ({ ...delivery, message, booking })),
  );
  if (rows.length === 0) return [];
  return [
    call(
      WRITE_DELIVERIES,
      uuids(rows.map(({ id }) => id)),
      uuids(rows.map(({ message }) => message.id)),
      texts(rows.map(({ route }) => route)),
      texts(rows.map(({ channel }) => channel)),
      texts(rows.map(({ message }) => message.hospital)),
      byteas(rows.map(({ lane }) => lane)),
      uuids(rows.map(({ edition }) => edition)),
      texts(rows.map(({ booking }) => booking)),
      instants(rows.map(({ giveUpAt }) => giveUpAt)),
      booleans(rows.map(({ hot }) => hot)),
      me,
    ),
  ];
}

/** The history of the steps, the bookings as they are after them, and what hospitals call them. */
export function writeSteps(
  steps: readonly BookingStep[],
  found: ReadonlyMap<string, Booking>,
  seal: Seal,
): readonly Call[] {
  if (steps.length === 0) return [];
  const bookings = finalBookings(steps, found);
  // In one order too: two batches whose bookings a hospital calls the same would wait for each other's row.
  const named = bookings
    .flatMap(({ booking }) => {
      const { hospitalRef } = booking.context;
      return hospitalRef === undefined ? [] : [{ booking, hospitalRef, key: nameOf(booking, hospitalRef) }];
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const calls = [
    call(
      WRITE_BOOKING_STEPS,
      uuids(steps.map(({ input }) => input.messageId)),
      texts(steps.map(({ after }) => after.reference)),
      int8s(steps.map(({ after }) => after.version)),
      texts(steps.map(({ after }) => after.hospital)),
      texts(steps.map(({ before }) => before)),
      texts(steps.map(({ after }) => after.state)),
      texts(steps.map(({ input }) => input.kind)),
      texts(steps.map(({ input }) => input.type)),
      byteas(steps.map(({ after }) => sealJson(seal, after.reference, after.context))),
      instants(steps.map(({ input }) => input.at)),
    ),
    call(
      WRITE_BOOKINGS,
      texts(bookings.map(({ booking }) => booking.reference)),
      texts(bookings.map(({ booking }) => booking.hospital)),
      texts(bookings.map(({ booking }) => booking.state)),
      byteas(bookings.map(({ booking }) => sealJson(seal, booking.reference, booking.context))),
      int8s(bookings.map(({ booking }) => booking.version)),
      int8s(bookings.map(({ base }) => base)),
      instants(bookings.map(({ booking }) => booking.wakeAt)),
    ),
  ];
  if (named.length > 0) {
    calls.push(
      call(
        WRITE_BOOKING_REFS,
        texts(named.map(({ booking }) => booking.hospital)),
        texts(named.map(() => 'hospitalRef')),
        texts(named.map(({ hospitalRef }) => hospitalRef)),
        texts(named.map(({ booking }) => booking.reference)),
      ),
    );
  }
  return calls;
}

const nameOf = ({ hospital }: Booking, hospitalRef: string): string => `${hospital}\0${hospitalRef}`;
