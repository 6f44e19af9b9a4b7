import type { Beneath, Booking, BookingContext, BookingInput, Learnt } from '../booking.ts';
import type { Effect } from './machine.ts';
import { type Move, pathOf } from './table.ts';
import { sameStart } from './time.ts';

/** What the booking remembers after a move. Gives the same object when that is what it remembered before. */
export function remember(booking: Booking, move: Move, input: BookingInput): BookingContext {
  const { context } = booking;
  if (does(move, 'note')) return noted(context, input.learnt);
  if (does(move, 'overdue')) return { ...context, unansweredSince: input.at.toISOString() };
  if (does(move, 'restart')) return { asked: input.learnt };

  const hospitalRef = input.kind === 'report' ? input.learnt.hospitalRef : undefined;
  const agreed = does(move, 'agree') ? agreedBy(booking, move, input) : context.agreed;
  const { asked, beneath } = open(booking, move, input);
  const { unansweredSince } = move.to[0] === booking.state ? context : {};
  return present({
    hospitalRef: hospitalRef ?? context.hospitalRef,
    asked,
    agreed,
    beneath: beneath.length === 0 ? undefined : beneath,
    unansweredSince,
  });
}

function does(move: Move, effect: Effect): boolean {
  return move.effects.includes(effect);
}

// A repeat may be older than what is known, so it fills a gap and never overwrites.
function noted(context: BookingContext, { hospitalRef }: Learnt): BookingContext {
  if (hospitalRef === undefined || context.hospitalRef !== undefined) return context;
  return { ...context, hospitalRef };
}

/** What is open after a move: every state that stays open keeps what was asked in it. */
function open(
  booking: Booking,
  move: Move,
  input: BookingInput,
): { readonly asked: Learnt | undefined; readonly beneath: readonly Beneath[] } {
  const before = askedBefore(booking);
  const [top, ...beneath] = move.to.map((state): Beneath => {
    const asked = before.get(state);
    return asked === undefined ? { state } : { state, asked };
  });
  return { asked: does(move, 'ask') ? input.learnt : top?.asked, beneath };
}

function askedBefore({ state, context }: Booking): ReadonlyMap<string, Learnt | undefined> {
  return new Map(
    [{ state, asked: context.asked }, ...(context.beneath ?? [])].map((at) => [at.state, at.asked]),
  );
}

/** What both sides agree on after a yes: what was asked and is answered by it, then what the report says itself. */
function agreedBy(booking: Booking, move: Move, input: BookingInput): Learnt {
  const asked = askedBefore(booking);
  const answered = pathOf(booking).filter((state) => !move.to.includes(state));
  // A move of the hospital's own may cross ours: then nothing of ours is agreed.
  const yesToOurMove = input.asked === 'booking.reschedule-requested';
  return [
    answered.includes('requested') ? asked.get('requested') : undefined,
    answered.includes('reschedule-requested') && yesToOurMove ? asked.get('reschedule-requested') : undefined,
    input.learnt,
  ].reduce<Learnt>(merge, booking.context.agreed ?? {});
}

function merge(known: Learnt, learnt: Learnt | undefined): Learnt {
  if (learnt === undefined) return known;
  const { slotStart, slotEnd, doctor, patient } = learnt;
  // The end of another time would make a slot that nobody agreed on.
  const keepsTime = slotStart === undefined || sameStart(known, learnt);
  const next = {
    slotStart: slotStart ?? known.slotStart,
    slotEnd: slotEnd ?? (keepsTime ? known.slotEnd : undefined),
    doctor: doctor ?? known.doctor,
    patient: patient ?? known.patient,
  };
  return present(next);
}

/** Without the names that have no value: what is kept as JSON comes back equal. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // The type cannot follow a filter; a name that is left out is allowed by every type it is used for.
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
