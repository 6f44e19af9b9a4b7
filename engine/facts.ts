import type { Booking } from './booking.ts';
import type { SystemName } from './message.ts';

/**
 * What the engine knows when a delivery is the head of its lane, beside the message itself. A
 * template reads it as `booking`, `edition` and `system`. Kept with the edition that was made from it.
 */
export interface Facts {
  readonly booking: BookingFacts | null;
  readonly edition: { readonly key: string };
  readonly system: { readonly name: SystemName; readonly timeZone: string | null };
}

export interface BookingFacts {
  readonly reference: string;
  readonly state: string;
  /** The hospital's own reference, learnt from its answer. */
  readonly hospitalRef?: string;
  /** The last slot both sides agreed on, RFC 3339. */
  readonly slotStart?: string;
  readonly slotEnd?: string;
}

/** The facts of a booking as it stands. */
export function bookingFacts(booking: Booking | null): BookingFacts | null {
  if (booking === null) return null;
  const { hospitalRef, agreed } = booking.context;
  return {
    reference: booking.reference,
    state: booking.state,
    ...(hospitalRef === undefined ? {} : { hospitalRef }),
    ...(agreed?.slotStart === undefined ? {} : { slotStart: agreed.slotStart }),
    ...(agreed?.slotEnd === undefined ? {} : { slotEnd: agreed.slotEnd }),
  };
}
