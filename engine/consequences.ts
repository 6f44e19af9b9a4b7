import type { Booking, BookingEvent, BookingInput, Desk } from './booking.ts';
import type { Clock } from './clock.ts';
import type { Delivery, Next } from './delivery.ts';
import { BridgeError } from './errors.ts';
import type { Digest, Lane } from './lane.ts';
import { BOOKINGS, type ChannelName, ENGINE, type Message, newId, type SearchKey } from './message.ts';
import { bookingBody, deadLetterBody, refusalBody } from './notice.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { Route } from './route.ts';
import type { BookingStep, Consequences, NewDelivery, NewMessage } from './store.ts';

/**
 * What follows from a message: a step of its booking, what the booking says to Dawy, and a delivery
 * for each route that takes any of it. Decided in memory under the locks of the transaction that
 * keeps it all, so that a message is never kept without its effects nor the other way round.
 */
export interface Deciding {
  readonly plan: Plan;
  readonly desk: Desk;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly random: Random;
  /** Reserves a slot of this instance for a delivery that may begin as running. */
  readonly reserve: (channel: ChannelName) => boolean;
}

/** A message with its decoded form, and what else is known of it. */
export interface Known {
  /** As received. */
  readonly raw: Message<Uint8Array>;
  /** Decoded; the raw one again when it could not be. */
  readonly decoded: Message;
  readonly booking: string | null;
  readonly search: readonly SearchKey[];
}

/** Marks an arrival that the broker had given up: what was sent after it may have been kept before it. */
const LATE = 'amqp.late';

/** What is said to the booking by a message. */
export type Said = Omit<BookingInput, 'messageId' | 'at'>;

/** What follows from an arrival. A request that no route takes, or that its booking cannot bear, is refused. */
export function fromArrival(
  known: Known,
  said: Said | null,
  booking: Booking | null,
  deciding: Deciding,
): Consequences {
  const routes = deciding.plan.routesFrom(known.raw.channel).filter((route) => route.matches(known.decoded));
  if (routes.length === 0 && (said === null || said.kind === 'request')) {
    const { type, hospital } = known.raw;
    return refusal(
      known,
      new BridgeError('route-missing', `no route takes ${type} for ${hospital}`),
      deciding,
    );
  }
  if (said?.kind === 'request' && booking !== null && known.raw.headers[LATE] === 'true') {
    const error = new BridgeError('stranded', `${known.raw.type} came by the dead-letter queue, late`);
    return refusal(known, error, deciding);
  }
  return said === null
    ? { messages: [newMessage(known, routes, cold(deciding, known.booking))], step: null }
    : afterSaying(known, said, routes, booking, deciding);
}

/** Only the message itself: nothing follows from it. */
export function alone({ raw, search, booking }: Known): Consequences {
  return { messages: [{ message: raw, search, booking, deliveries: [], refused: null }], step: null };
}

/** What follows from a hospital's answer that means something. */
export function fromAnswer(
  known: Known,
  said: Said,
  booking: Booking | null,
  deciding: Deciding,
): Consequences {
  return afterSaying(known, said, [], booking, deciding);
}

/** A refused message: kept, with a notice for Dawy, and without any other effect. */
export function refusal(known: Known, error: BridgeError, deciding: Deciding): Consequences {
  const refused = {
    message: known.raw,
    search: known.search,
    booking: known.booking,
    deliveries: [],
    refused: error,
  };
  const body = refusalBody(known.raw, known.booking, error, deciding.clock.now());
  return {
    messages: [refused, made(ENGINE, 'message.refused', body, known, cold(deciding, known.booking))],
    step: null,
  };
}

/** The notice that a delivery stands still; none for a notice that stands still itself. */
export function deadLetter(
  delivery: Delivery,
  known: Known,
  next: Next,
  deciding: Deciding,
): readonly NewMessage[] {
  if (next.kind !== 'stopped' || known.raw.channel === ENGINE) return [];
  const body = deadLetterBody(delivery, known.booking, next, deciding.clock.now());
  return [made(ENGINE, 'dead-letter.opened', body, known, cold(deciding, known.booking))];
}

function afterSaying(
  known: Known,
  said: Said,
  routes: readonly Route[],
  booking: Booking | null,
  deciding: Deciding,
): Consequences {
  if (known.booking === null) {
    const error = new BridgeError('booking-missing', `${known.raw.type} names no booking`);
    return refusal(known, error, deciding);
  }
  const input: BookingInput = { ...said, messageId: known.raw.id, at: deciding.clock.now() };
  const outcome = deciding.desk.step(known.booking, known.raw.hospital, booking, input);
  switch (outcome.kind) {
    case 'illegal':
      return refusal(known, outOfTurn(known.raw.type, outcome.state, outcome.legal), deciding);
    case 'disagrees':
      return refusal(known, disagreement(outcome.state, outcome.reported), deciding);
    case 'unchanged':
      return { messages: [newMessage(known, routes, cold(deciding, known.booking))], step: null };
    case 'moved': {
      const step: BookingStep = { before: booking?.state ?? null, after: outcome.booking, input };
      const events = outcome.says.map((event) =>
        bookingEvent(event, said.asked, outcome.booking, known, deciding),
      );
      return { messages: [newMessage(known, routes, deciding), ...events], step };
    }
  }
}

function outOfTurn(type: string, state: string, legal: readonly string[]): BridgeError {
  const words = legal.length === 0 ? 'nothing more can be asked of it' : `legal now: ${legal.join(', ')}`;
  return new BridgeError(
    'booking-out-of-turn',
    `${type} makes no sense for a booking that is ${state}; ${words}`,
    {
      details: { state, legal: legal.join(', ') },
    },
  );
}

function disagreement(state: string, reported: string): BridgeError {
  return new BridgeError('booking-disagrees', `the hospital reports ${reported}; the booking is ${state}`, {
    details: { state, reported },
  });
}

function bookingEvent(
  event: BookingEvent,
  asked: string | null,
  booking: Booking,
  cause: Known,
  deciding: Deciding,
): NewMessage {
  const body = {
    ...bookingBody(event, booking, cause.raw.id, deciding.clock.now()),
    ...(asked === null ? {} : { asked }),
  };
  return made(BOOKINGS, event.type, body, cause, deciding);
}

/** A message made here, on its own ways out. */
function made(
  channel: ChannelName,
  type: string,
  body: object,
  cause: Known,
  deciding: Deciding,
): NewMessage {
  const { clock, random, plan } = deciding;
  const message: Message<Uint8Array> = {
    id: newId(clock, random),
    correlation: cause.raw.correlation,
    cause: cause.raw.id,
    channel,
    type,
    hospital: cause.raw.hospital,
    headers: {},
    form: 'json',
    body: Buffer.from(JSON.stringify(body)),
    receivedAt: clock.now(),
  };
  const known: Known = {
    raw: message,
    decoded: { ...message, body },
    booking: cause.booking,
    search: bookingSearch(cause.booking),
  };
  const routes = plan.routesFrom(channel).filter((route) => route.matches(known.decoded));
  return newMessage(known, routes, deciding);
}

function newMessage(known: Known, routes: readonly Route[], deciding: Deciding): NewMessage {
  const deliveries = routes.map((route) => newDelivery(known, route, deciding));
  return { message: known.raw, search: known.search, booking: known.booking, deliveries, refused: null };
}

/** Deliveries that need the facts of a booking this decision does not write begin as queued: a claim reads them. */
function cold(deciding: Deciding, booking: string | null): Deciding {
  return booking === null ? deciding : { ...deciding, reserve: () => false };
}

function newDelivery(known: Known, route: Route, { clock, random, digest, reserve }: Deciding): NewDelivery {
  const key = route.orderingKey(known.decoded, known.booking);
  return {
    id: newId(clock, random),
    route: route.name,
    channel: route.to,
    lane: key === null ? null : digest.lane(key),
    edition: newId(clock, random),
    giveUpAt: earlier(
      new Date(known.raw.receivedAt.getTime() + route.retry.forMs),
      route.notAfter(known.decoded),
    ),
    hot: reserve(route.to),
  };
}

/** Every lane that something following from a message may be in: all must be locked before anything is decided. */
export function lanesOf(known: Known, plan: Plan, digest: Digest): readonly Lane[] {
  const keys = new Set<string>(known.booking === null ? [] : [known.booking]);
  for (const route of plan.routesFrom(known.raw.channel)) {
    const key = route.matches(known.decoded) ? route.orderingKey(known.decoded, known.booking) : null;
    if (key !== null) keys.add(key);
  }
  return [...keys].map((key) => digest.lane(key));
}

/** The key by which everything about a booking is found. */
export function bookingSearch(reference: string | null): readonly SearchKey[] {
  return reference === null ? [] : [{ name: 'booking', value: reference, private: false }];
}

function earlier(one: Date, other: Date | null): Date {
  return other !== null && other < one ? other : one;
}
