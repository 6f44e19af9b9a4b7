import { BridgeError } from '../errors.ts';
import { type Message, type MessageId, TIMER } from '../message.ts';
import type { Consequences, Keeping, Settlement } from '../store.ts';

/** What a store says when it refuses something that a person must see: why, and nothing of the row itself. */
export type Details = BridgeError['details'];

/**
 * Whether what was decided on is of a newer version than this one. Then nobody here may decide, not even
 * to refuse: an instance of that version can.
 */
export function ofNewerVersion(thrown: unknown): thrown is BridgeError {
  return thrown instanceof BridgeError && thrown.code === 'store-outdated';
}

/** What a caller hears then: nothing was written, ask elsewhere. */
export function elsewhere(thrown: BridgeError): BridgeError {
  return new BridgeError('store-unavailable', `an instance of a newer version is needed: ${thrown.message}`, {
    cause: thrown,
  });
}

/**
 * An arrival that could not be decided or written, with nothing left in it that a column could refuse:
 * bytes, digest and ids. Throws what was thrown when nobody is to see it refused: a deadline has no
 * sender, and a refused one would never be told again.
 */
export function barely(keeping: Keeping, thrown: unknown, details: Details = {}): Keeping {
  const { message } = keeping;
  if (message.channel === TIMER) throw thrown;
  return {
    ...keeping,
    message: {
      ...message,
      correlation: message.id,
      type: '-',
      hospital: '-' as typeof message.hospital,
      form: 'bytes',
    },
    booking: null,
    search: [],
    refused: new BridgeError('store-rejected', 'the store refused this one message', {
      cause: thrown,
      details,
    }),
  };
}

/** What follows from such an arrival: it is kept. */
export function refusedOnly({ message, refused, booking }: Keeping): Consequences {
  return { messages: [{ message, search: [], booking, deliveries: [], refused }], step: null };
}

/** What follows from a settlement of which nothing can follow: the answer is kept, and what it means is for a person to say. */
export function unsaid(
  { delivery, attempt }: Settlement,
  thrown: unknown,
  made: { readonly id: MessageId; readonly at: Date; readonly details?: Details },
): Consequences {
  const message: Message<Uint8Array> = {
    id: made.id,
    correlation: delivery.message,
    cause: delivery.message,
    channel: delivery.channel,
    type: '-',
    hospital: delivery.hospital,
    headers: {},
    form: 'bytes',
    body: attempt.response ?? new Uint8Array(),
    receivedAt: made.at,
  };
  const refused = new BridgeError('store-rejected', 'the store refused what follows from an answer', {
    cause: thrown,
    details: made.details ?? {},
  });
  return { messages: [{ message, search: [], booking: null, deliveries: [], refused }], step: null };
}
