import type { MessageId, SystemName } from './message.ts';

/** The conversation about one appointment, as it stands. */
export interface Booking {
  /** Dawy's reference. */
  readonly reference: string;
  readonly hospital: SystemName;
  /** A word of the machine in `booking/machine.ts`. */
  readonly state: string;
  readonly context: BookingContext;
  /** Rises by one with every step that changed something. */
  readonly version: number;
  /** When time itself is a report: the deadline of the state, or null. */
  readonly wakeAt: Date | null;
}

/** What a booking remembers. Kept sealed. */
export interface BookingContext {
  /** The hospital's own reference. */
  readonly hospitalRef?: string;
  /** What was last asked for and is not answered yet. */
  readonly asked?: Learnt;
  /** What both sides last agreed on. */
  readonly agreed?: Learnt;
  /** What the last request came upon, uppermost first: where the booking falls back to when it is refused. */
  readonly beneath?: readonly Beneath[];
  /** The deliveries' word on an unanswered request: set when a deadline passed. */
  readonly unansweredSince?: string;
}

/** A state that still stands under an open request, with what was asked in it and is not answered yet. */
export interface Beneath {
  readonly state: string;
  readonly asked?: Learnt;
}

/** What a message says about a booking, by the names of `learn:` in routes.yaml. All values are text as received. */
export type Learnt = Readonly<Partial<Record<LearntName, string>>>;
export const LEARNT_NAMES = [
  'hospitalRef',
  'slotStart',
  'slotEnd',
  'doctor',
  'patient',
  'reason',
  'alternatives',
] as const;
export type LearntName = (typeof LEARNT_NAMES)[number];

/** One thing said to a booking: a request of Dawy's, a report of what is so, or the passing of its deadline. */
export interface BookingInput {
  readonly kind: 'request' | 'report' | 'timer';
  /** `booking.reschedule-requested`, `booking.confirmed`, `timer`. */
  readonly type: string;
  readonly learnt: Learnt;
  /** For a report that answers a request: the type of that request. */
  readonly asked: string | null;
  readonly messageId: MessageId;
  readonly at: Date;
}

/** One thing the booking says to Dawy. */
export interface BookingEvent {
  /** `booking.confirmed`, `booking.unanswered`, … */
  readonly type: string;
  readonly reason?: string;
  readonly alternatives?: string;
}

export type BookingOutcome =
  /** The booking after the step, and what it says. */
  | { readonly kind: 'moved'; readonly booking: Booking; readonly says: readonly BookingEvent[] }
  /** A report that says nothing new. */
  | { readonly kind: 'unchanged' }
  /** A request that makes no sense in this state. `legal` names the requests that would. */
  | { readonly kind: 'illegal'; readonly state: string; readonly legal: readonly string[] }
  /** A report that contradicts what the booking knows: kept, acknowledged, and put before a person. */
  | { readonly kind: 'disagrees'; readonly state: string; readonly reported: string };

/** Where a booking stands, moved by what is said to it. Pure; called inside the transaction that keeps the message. */
export interface Desk {
  /** `booking` is null when nothing is known of the reference yet. */
  step(reference: string, hospital: SystemName, booking: Booking | null, input: BookingInput): BookingOutcome;
  /** The states it knows. A booking in another was written by a newer machine: it is left to instances that know it. */
  readonly states: readonly string[];
  /** Whether a message type is said to bookings at all, and how. */
  kindOf(type: string): 'request' | 'report' | null;
}
