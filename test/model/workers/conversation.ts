import { createDesk } from '../../../engine/booking/desk.ts';
import type { Booking, BookingInput } from '../../../engine/booking.ts';
import { BridgeError } from '../../../engine/errors.ts';
import { bodyDigest } from '../../../engine/lane.ts';
import type { ChannelName, SystemName } from '../../../engine/message.ts';
import type { BookingStep, Consequences, Keeping } from '../../../engine/store.ts';
import { arrival, delivery } from '../../support/store-conformance.ts';
import type { Facts } from './facts.ts';
import type { Arriving, Saying } from './script.ts';

export const desk = createDesk();

/** One run among others over the same tables: everything in it has names of its own. */
export interface Run {
  readonly name: string;
  readonly channel: ChannelName;
  /** Bookings of one hospital know each other's references, so each run has a hospital too. */
  readonly hospital: SystemName;
  readonly facts: Facts;
}

export const bookingOf = ({ name }: Run, booking: number): string => `${name}-${booking}`;

/** A message that says something to a booking. */
export function message(run: Run, saying: Saying, repeat: Arriving['repeat'] = null): Keeping {
  const id = repeat === null ? {} : { id: `${run.name}-${repeat.id}` };
  const body = JSON.stringify({ ...saying, body: repeat?.body });
  const made = arrival(body, { booking: bookingOf(run, saying.booking), ...id });
  const { type } = saying;
  return {
    ...made,
    message: { ...made.message, type, hospital: run.hospital },
    bodyDigest: bodyDigest(Buffer.from(body)),
  };
}

/** What follows from a message under the locks of its transaction: the step of its booking, and a delivery in its lane. */
export function follow(
  run: Run,
  saying: Saying,
  keeping: Keeping,
  booking: Booking | null,
  hot: boolean,
): Consequences {
  const { message, search, refused } = keeping;
  const of = { message, search, booking: keeping.booking };
  const refuse = (error: BridgeError): Consequences => {
    return { messages: [{ ...of, refused: error, deliveries: [] }], step: null };
  };
  if (refused !== null) return refuse(refused);
  const input = inputOf(run, saying, keeping);
  const outcome = desk.step(keeping.booking ?? '-', message.hospital, booking, input);
  const added = delivery(keeping.booking, { channel: run.channel, hot });
  const kept = { ...of, refused: null, deliveries: [added] };
  switch (outcome.kind) {
    case 'illegal':
      return refuse(new BridgeError('booking-out-of-turn', 'out of turn'));
    case 'disagrees':
      return refuse(new BridgeError('booking-disagrees', 'it disagrees'));
    case 'unchanged':
      return { messages: [kept], step: null };
    case 'moved': {
      run.facts.inputs.set(message.id, input);
      const step: BookingStep = { before: booking?.state ?? null, after: outcome.booking, input };
      return { messages: [kept], step };
    }
  }
}

function inputOf(run: Run, { type, asked, learnt }: Saying, { message }: Keeping): BookingInput {
  const { hospitalRef } = learnt;
  return {
    kind: desk.kindOf(type) ?? 'report',
    type,
    learnt: hospitalRef === undefined ? learnt : { ...learnt, hospitalRef: `${run.name}-H${hospitalRef}` },
    asked,
    messageId: message.id,
    at: message.receivedAt,
  };
}
