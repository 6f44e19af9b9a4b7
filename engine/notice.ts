import type { Booking, BookingEvent } from './booking.ts';
import type { Delivery } from './delivery.ts';
import type { BridgeError } from './errors.ts';
import { CATALOGUE } from './errors.ts';
import { bookingFacts } from './facts.ts';
import type { Message, MessageId } from './message.ts';

/** The body of a message from `bookings`: what the booking machine says. */
export function bookingBody(event: BookingEvent, booking: Booking, cause: MessageId, at: Date): object {
  const { type, reason, alternatives } = event;
  const facts = bookingFacts(booking);
  return {
    type,
    at: at.toISOString(),
    booking: { ...facts, hospital: booking.hospital },
    ...(reason === undefined ? {} : { reason }),
    ...(alternatives === undefined ? {} : { alternatives }),
    cause,
  };
}

/** The body of `message.refused` from `engine`: which message, why, and what to do. Never a value of it. */
export function refusalBody(refused: Message, booking: string | null, error: BridgeError, at: Date): object {
  const { summary, remedy } = CATALOGUE[error.code];
  const senderId = refused.headers['amqp.messageId'];
  return {
    type: 'message.refused',
    at: at.toISOString(),
    id: refused.id,
    hospital: refused.hospital,
    ...(booking === null ? {} : { booking }),
    refused: {
      channel: refused.channel,
      type: refused.type,
      ...(senderId === undefined ? {} : { messageId: senderId }),
      code: error.code,
      summary,
      detail: error.message,
      remedy: textOf(error.details['remedy']) ?? remedy,
      ...pick(error.details, ['pointer', 'rule', 'state', 'legal']),
    },
  };
}

/** The body of `dead-letter.opened` from `engine`: which delivery stands still, and who must do what. */
export function deadLetterBody(
  { id, route, channel, hospital }: Delivery,
  booking: string | null,
  stopped: { readonly state: 'held' | 'dead'; readonly error: BridgeError },
  at: Date,
): object {
  const { summary, remedy, owner } = CATALOGUE[stopped.error.code];
  return {
    type: 'dead-letter.opened',
    at: at.toISOString(),
    id,
    hospital,
    ...(booking === null ? {} : { booking }),
    deadLetter: { state: stopped.state, route, channel, code: stopped.error.code, summary, remedy, owner },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function pick(details: BridgeError['details'], names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = details[name];
    if (value !== undefined) picked[name] = String(value);
  }
  return picked;
}
