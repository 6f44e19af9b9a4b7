/** The states in which nothing is settled about the day: an appointment is asked for, or on. */
const OPEN = ['requested', 'placed', 'confirmed', 'reschedule-requested', 'cancel-requested'] as const;
const STANDING = ['requested', 'placed', 'confirmed'] as const;

type Ways = Readonly<Record<string, readonly string[]>>;

const all = (from: readonly string[], to: string): Ways => Object.fromEntries(from.map((one) => [one, [to]]));

/**
 * Where each word may lead a booking, by the words of the agreement alone: from each state the states after it.
 * What is not here does not happen, whatever the message says beside its type.
 */
export const WAYS: Readonly<Record<string, Ways>> = {
  'booking.requested': { none: ['requested'], rejected: ['requested'], cancelled: ['requested'] },
  'booking.reschedule-requested': all(STANDING, 'reschedule-requested'),
  'booking.cancel-requested': all([...STANDING, 'reschedule-requested'], 'cancel-requested'),
  'booking.placed': { requested: ['placed'], ...stays(['reschedule-requested', 'cancel-requested']) },
  'booking.confirmed': {
    ...all(['requested', 'placed'], 'confirmed'),
    // A yes to the move, or to what stands under it; and the hospital's undo of its own cancellation.
    'reschedule-requested': ['reschedule-requested', 'confirmed'],
    'cancel-requested': ['cancel-requested'],
    confirmed: ['confirmed'],
    cancelled: ['confirmed'],
  },
  'booking.rescheduled': {
    ...all([...STANDING, 'reschedule-requested', 'cancelled'], 'confirmed'),
    'cancel-requested': ['cancel-requested'],
  },
  'booking.rejected': {
    ...all(STANDING, 'rejected'),
    // A no to the appointment, or to the request alone: then what was before it stands.
    'reschedule-requested': ['rejected', ...STANDING],
    'cancel-requested': ['rejected', 'cancel-requested', 'reschedule-requested', ...STANDING],
  },
  'booking.cancelled': all([...OPEN, 'rejected', 'arrived'], 'cancelled'),
  'booking.arrived': all([...OPEN, 'no-show'], 'arrived'),
  'booking.fulfilled': all([...OPEN, 'arrived', 'no-show'], 'fulfilled'),
  'booking.no-show': all(OPEN, 'no-show'),
  timer: stays(['requested', 'placed', 'reschedule-requested', 'cancel-requested']),
};

/** What Dawy may ask in each state; of a booking nobody knows, only the first. */
export function mayAsk(state: string): readonly string[] {
  const requests = ['booking.requested', 'booking.reschedule-requested', 'booking.cancel-requested'];
  return requests.filter((type) => WAYS[type]?.[state] !== undefined);
}

/** States in which someone waits for the hospital's word. */
export const WAITING: readonly string[] = ['requested', 'placed', 'reschedule-requested', 'cancel-requested'];

function stays(states: readonly string[]): Ways {
  return Object.fromEntries(states.map((one) => [one, [one]]));
}
