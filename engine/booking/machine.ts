import { setup } from 'xstate';

/** What Dawy asks of a booking. */
export const REQUESTS = [
  'booking.requested',
  'booking.reschedule-requested',
  'booking.cancel-requested',
] as const;

/** What a hospital reports of a booking. */
export const REPORTS = [
  'booking.placed',
  'booking.confirmed',
  'booking.rejected',
  'booking.rescheduled',
  'booking.cancelled',
  'booking.arrived',
  'booking.fulfilled',
  'booking.no-show',
] as const;

/**
 * What a report can turn out to mean once it is read beside the booking (`reading.ts`): a rejection
 * of one open request and not of the appointment, or a word that brings nothing new.
 */
export const READINGS = ['reschedule-rejected', 'cancel-rejected', 'nothing-new'] as const;

export type Request = (typeof REQUESTS)[number];
export type Report = (typeof REPORTS)[number];
export type Word = Request | Report | (typeof READINGS)[number];

/** What a step does to what the booking remembers and says. `context.ts` does it. */
export type Effect =
  /** Remembers what is asked. */
  | 'ask'
  /** Takes what was asked, and what the report adds to it, as agreed. */
  | 'agree'
  /** Learns the hospital's reference when it was not known, and nothing else. */
  | 'note'
  /** Forgets everything first: the booking starts again. */
  | 'restart'
  /** Remembers since when an answer is overdue. */
  | 'overdue'
  /** Tells Dawy. */
  | 'say';

/** The child of `cancelled` out of which no report leads. Not part of our own state words. */
export const FOR_GOOD = 'for-good';

const MINUTE = 60_000;

/** How long a state waits before Dawy is told that it waits, in milliseconds. */
export const DELAYS = {
  // A system that is up answers in seconds. A patient looks at a pending screen for about this long
  // before calling, and the retries of a short outage fit into it.
  unanswered: 15 * MINUTE,
  // The hospital's system has it and a person there decides: by the next working day.
  undecided: 24 * 60 * MINUTE,
} as const;

const note = { actions: 'note' } as const;
const overdue = { actions: ['overdue', 'say'] } as const;
const to = (target: string) => ({ target: `#booking.${target}`, actions: 'say' }) as const;
const agree = (target: string) => ({ target: `#booking.${target}`, actions: ['agree', 'say'] }) as const;
const ask = (target: string) => ({ target: `#booking.${target}`, actions: 'ask' }) as const;

/** An action is a name for `context.ts`; nothing runs in the machine. */
const idle = () => null;

/** What can happen on the day to whatever still may take place, whether or not we heard a yes before. */
const theDay = {
  'booking.arrived': agree('arrived'),
  'booking.fulfilled': agree('fulfilled'),
  'booking.no-show': agree('no-show'),
} as const;

/** What a hospital can say to an appointment no request is open about. */
const live = {
  ...theDay,
  'booking.confirmed': agree('confirmed'),
  'booking.rescheduled': agree('confirmed'),
  'booking.rejected': to('rejected'),
  'booking.cancelled': to(`cancelled.${FOR_GOOD}`),
} as const;

const again = { 'booking.requested': { target: '#booking.requested', actions: ['restart', 'ask'] } } as const;

/** What stands under an open request: it moves on while the request waits. */
const standing = (over: string, falls: (below: string) => object) => ({
  requested: {
    on: {
      'booking.placed': agree(`${over}.placed`),
      'booking.confirmed': agree(`${over}.confirmed`),
      ...falls('requested'),
    },
  },
  placed: { on: { 'booking.confirmed': agree(`${over}.confirmed`), ...falls('placed') } },
  confirmed: { on: { 'booking.confirmed': note, ...falls('confirmed') } },
});

/**
 * The conversation about one appointment, as data; `docs/booking.md` draws it. It remembers nothing
 * and does nothing: `table.ts` reads it once with the pure `transition()`.
 *
 * A state below `reschedule-requested` or `cancel-requested` is what stands until the hospital answers;
 * the one below `cancelled` is what an undo leads back to. A report not listed in a state contradicts it;
 * a request not listed is illegal.
 */
export const machine = setup({
  types: { events: {} as { type: Word } },
  actions: { ask: idle, agree: idle, note: idle, restart: idle, overdue: idle, say: idle },
  delays: DELAYS,
}).createMachine({
  id: 'booking',
  initial: 'requested',
  // An acknowledgement overtaken by a later word is the commonest stale report, and never a contradiction.
  on: { 'nothing-new': note, 'booking.placed': note },
  states: {
    requested: {
      after: { unanswered: overdue },
      on: {
        ...live,
        'booking.placed': agree('placed'),
        'booking.reschedule-requested': ask('reschedule-requested.requested'),
        'booking.cancel-requested': ask('cancel-requested.requested'),
      },
    },
    placed: {
      after: { undecided: overdue },
      on: {
        ...live,
        'booking.reschedule-requested': ask('reschedule-requested.placed'),
        'booking.cancel-requested': ask('cancel-requested.placed'),
      },
    },
    confirmed: {
      on: {
        ...live,
        'booking.confirmed': note,
        // Nobody asked for this cancellation, so the hospital may take it back.
        'booking.cancelled': to('cancelled.confirmed'),
        'booking.reschedule-requested': ask('reschedule-requested.confirmed'),
        'booking.cancel-requested': ask('cancel-requested.confirmed'),
      },
    },
    'reschedule-requested': {
      initial: 'requested',
      after: { unanswered: overdue },
      on: {
        ...theDay,
        'booking.rescheduled': agree('confirmed'),
        'booking.rejected': to('rejected'),
        'booking.cancelled': to(`cancelled.${FOR_GOOD}`),
      },
      states: standing('reschedule-requested', (below) => ({
        'reschedule-rejected': to(below),
        'booking.cancel-requested': ask(`cancel-requested.reschedule-requested.${below}`),
        ...(below === 'confirmed' ? { 'booking.cancelled': to('cancelled.confirmed') } : {}),
      })),
    },
    'cancel-requested': {
      initial: 'requested',
      after: { unanswered: overdue },
      on: {
        ...theDay,
        'booking.rescheduled': agree('cancel-requested.confirmed'),
        'booking.rejected': to('rejected'),
        'booking.cancelled': to(`cancelled.${FOR_GOOD}`),
      },
      states: {
        ...standing('cancel-requested', (below) => ({ 'cancel-rejected': to(below) })),
        'reschedule-requested': {
          initial: 'requested',
          states: standing('cancel-requested.reschedule-requested', (below) => ({
            'cancel-rejected': to(`reschedule-requested.${below}`),
            'reschedule-rejected': to(`cancel-requested.${below}`),
          })),
        },
      },
    },
    // Both mean that it will not take place; `cancelled` is the last word of the two in either order,
    // for it also answers a cancel that was asked before the rejection came.
    rejected: {
      on: { ...again, 'booking.rejected': note, 'booking.cancelled': to(`cancelled.${FOR_GOOD}`) },
    },
    cancelled: {
      initial: FOR_GOOD,
      on: { ...again, 'booking.cancelled': note, 'booking.rejected': note },
      states: {
        // Never confirmed, or cancelled as Dawy asked: a confirmation now is an overtaken one, or the
        // hospital kept what the patient gave up. Nobody but a person can tell.
        [FOR_GOOD]: {},
        // The hospital's own cancellation of what was confirmed: a confirmation now is its undo.
        confirmed: {
          on: { 'booking.confirmed': agree('confirmed'), 'booking.rescheduled': agree('confirmed') },
        },
      },
    },
    arrived: {
      on: {
        'booking.confirmed': note,
        'booking.arrived': note,
        'booking.fulfilled': to('fulfilled'),
        // The doctor was called away. Never undone by a confirmation: that would be one from before.
        'booking.cancelled': to(`cancelled.${FOR_GOOD}`),
      },
    },
    fulfilled: { on: { 'booking.confirmed': note, 'booking.arrived': note, 'booking.fulfilled': note } },
    // Set by a clock in many hospitals; a patient seen after all is stronger than a patient missed.
    'no-show': {
      on: {
        'booking.no-show': note,
        'booking.arrived': to('arrived'),
        'booking.fulfilled': to('fulfilled'),
      },
    },
  },
});
