/** What an answer or a hospital's message may report of a booking, in the words Dawy knows. */
export const BOOKING_EVENTS = [
  'booking.placed',
  'booking.confirmed',
  'booking.rejected',
  'booking.rescheduled',
  'booking.cancelled',
  'booking.arrived',
  'booking.fulfilled',
  'booking.no-show',
] as const;

/** Says of an answer that it means nothing beyond its verdict. */
export const NO_EVENT = 'none';

/** What an answer may mean for a delivery. */
export const VERDICTS = ['taken', 'declined', 'later', 'wrong'] as const;
/** What the answer to a probe may mean. */
export const PROBE_VERDICTS = ['taken', 'declined', 'absent'] as const;
/** How a far side deals with a repeat. */
export const REPEATS = ['recognized', 'probe', 'unsafe'] as const;
