import type { Booking, BookingInput } from '../booking.ts';
import { REPORTS, type Word } from './machine.ts';
import { pathOf } from './table.ts';
import { differentStart, sameStart } from './time.ts';

/**
 * What a report means for this booking: a word of the machine, or null when it contradicts what is
 * known. Everything that depends on what is remembered is here; the machine knows states only.
 */
export function readReport(booking: Booking, input: BookingInput): Word | null {
  const report = REPORTS.find((type) => type === input.type);
  switch (report) {
    case undefined:
      return null;
    case 'booking.placed':
      return readPlaced(booking, input);
    case 'booking.confirmed':
      return readConfirmed(booking, input);
    case 'booking.rescheduled':
      return readRescheduled(booking, input);
    case 'booking.rejected':
      return readRejected(booking, input);
    case 'booking.cancelled':
      return readCancelled(booking, input);
    case 'booking.arrived':
    case 'booking.fulfilled':
    case 'booking.no-show':
      return report;
  }
}

const MOVE = 'booking.reschedule-requested';
const CANCEL = 'booking.cancel-requested';

function readPlaced(booking: Booking, { asked, learnt }: BookingInput): Word | null {
  // The hospital's system has the request to move or cancel; nobody there has said yes or no.
  if (asked === MOVE || asked === CANCEL) return 'nothing-new';
  return standing(booking) === 'placed' && differentStart(booking.context.agreed, learnt)
    ? null
    : 'booking.placed';
}

function readConfirmed(booking: Booking, input: BookingInput): Word | null {
  if (input.asked === MOVE) return readRescheduled(booking, input);
  if (!mayStand(booking, input)) return null;
  // A hospital that does not say what it answers: a yes to the very time the open move asks for.
  const { agreed } = booking.context;
  const ofTheMove = sameStart(askedOfMove(booking), input.learnt) && !sameStart(agreed, input.learnt);
  if (input.asked === null && ofTheMove) return 'booking.rescheduled';
  // A new time would have been `rescheduled`. This is another appointment, or an old word.
  return standing(booking) === 'confirmed' && isLive(booking) && differentStart(agreed, input.learnt)
    ? null
    : 'booking.confirmed';
}

function readRescheduled(booking: Booking, input: BookingInput): Word | null {
  if (!mayStand(booking, input)) return null;
  const { learnt, asked } = input;
  const moveOpen = pathOf(booking).includes('reschedule-requested');
  if (asked === MOVE && moveOpen) return 'booking.rescheduled';
  if (learnt.slotStart === undefined) {
    // The repeat of an answer that was taken. A move by the hospital must say when: nothing is guessed.
    return asked === MOVE && takesPlace(booking) ? 'nothing-new' : null;
  }
  const isTheAgreed = takesPlace(booking) && sameStart(booking.context.agreed, learnt);
  if (isTheAgreed && !sameStart(askedOfMove(booking), learnt)) return 'nothing-new';
  return 'booking.rescheduled';
}

function readRejected(booking: Booking, { asked }: BookingInput): Word | null {
  const path = pathOf(booking);
  if (asked === MOVE) return path.includes('reschedule-requested') ? 'reschedule-rejected' : 'nothing-new';
  if (asked === CANCEL) return path.includes('cancel-requested') ? 'cancel-rejected' : 'nothing-new';
  // A no that does not say to what, while more than one thing is asked. Taken for the appointment it
  // would lose one that stands; taken for the request it would keep one that does not. A person looks.
  if (asked === null && isLive(booking) && path.length > 1) return null;
  return 'booking.rejected';
}

function readCancelled(booking: Booking, { asked, learnt }: BookingInput): Word | null {
  // Many hospitals move by booking anew and cancelling the old one. That cancellation is not of ours.
  const { hospitalRef } = booking.context;
  const ofAnother =
    hospitalRef !== undefined && learnt.hospitalRef !== undefined && learnt.hospitalRef !== hospitalRef;
  return ofAnother && asked === null && isLive(booking) ? null : 'booking.cancelled';
}

/** Whether a yes can be one to this booking: not to its cancellation, and after the end only as an undo of the hospital's own. */
function mayStand(booking: Booking, { asked }: BookingInput): boolean {
  return asked !== CANCEL && (booking.state !== 'cancelled' || asked === null);
}

function isLive(booking: Booking): boolean {
  return booking.state !== 'cancelled' && booking.state !== 'rejected';
}

/** Whether both sides know of an appointment with a time. */
function takesPlace(booking: Booking): boolean {
  return isLive(booking) && !['requested', 'placed'].includes(standing(booking));
}

function standing(booking: Booking): string {
  return pathOf(booking).at(-1) ?? booking.state;
}

function askedOfMove({ state, context }: Booking): BookingInput['learnt'] | undefined {
  if (state === 'reschedule-requested') return context.asked;
  return context.beneath?.find((below) => below.state === 'reschedule-requested')?.asked;
}

/** The type a reading is told to Dawy by. */
export function saidAs(word: Word, input: BookingInput): string {
  if (input.kind === 'timer') return 'booking.unanswered';
  return word === 'booking.rescheduled' ? word : input.type;
}
