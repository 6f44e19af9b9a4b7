import fc from 'fast-check';
import type { Learnt } from '../../../engine/booking.ts';
import type { Standing } from '../lane/rule.ts';

/** One thing said to a booking, by the number of the booking. */
export interface Saying {
  readonly booking: number;
  readonly type: string;
  readonly asked: string | null;
  readonly learnt: Learnt;
}

/** One arrival; `id` and `body` when its sender says it more than once, or says something else under the same id. */
export interface Arriving {
  readonly saying: Saying;
  readonly repeat: { readonly id: number; readonly body: number } | null;
}

/** One thing that a worker does. */
export type Deed =
  | { readonly does: 'keep'; readonly arrivals: readonly Arriving[]; readonly hot: boolean }
  | { readonly does: 'claim'; readonly limit: number }
  | { readonly does: 'send'; readonly ends: readonly Ending[] }
  | { readonly does: 'write' }
  | { readonly does: 'release' }
  | { readonly does: 'decide' }
  | { readonly does: 'stall' }
  | { readonly does: 'beat' };

/** How one send comes out; `answer` when the hospital's answer says something to the booking. */
export interface Ending {
  readonly standing: Standing;
  readonly passes: boolean;
  readonly hot: boolean;
  readonly answer: Saying | null;
}

export const BOOKINGS = 4;
export const HOSPITAL_REFS = 2;

const START = '2026-03-02T08:00:00+03:00';
const learnt: fc.Arbitrary<Learnt> = fc.record(
  {
    hospitalRef: fc.nat({ max: HOSPITAL_REFS - 1 }).map(String),
    slotStart: fc.constantFrom(START, '2026-03-03T09:00:00+03:00'),
  },
  { requiredKeys: ['hospitalRef'] },
);
const booking = fc.nat({ max: BOOKINGS - 1 });

const REQUESTS = ['booking.requested', 'booking.reschedule-requested', 'booking.cancel-requested'] as const;
const request = fc.record<Saying>({
  booking,
  type: fc.constantFrom(...REQUESTS, 'booking.requested'),
  asked: fc.constant(null),
  learnt: fc.constant({ slotStart: START }),
});
const report = fc.record<Saying>({
  booking,
  type: fc.constantFrom(
    'booking.placed',
    'booking.confirmed',
    'booking.rejected',
    'booking.rescheduled',
    'booking.cancelled',
  ),
  asked: fc.constantFrom(null, ...REQUESTS),
  learnt,
});

const arriving = fc.record<Arriving>({
  saying: fc.oneof({ weight: 3, arbitrary: request }, { weight: 2, arbitrary: report }),
  repeat: fc.option(fc.record({ id: fc.nat({ max: 1 }), body: fc.nat({ max: 1 }) }), { freq: 2 }),
});

const ending = fc.record<Ending>({
  standing: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Standing>('delivered') },
    { weight: 3, arbitrary: fc.constantFrom<Standing>('again', 'unsure', 'held', 'dead') },
  ),
  passes: fc.boolean(),
  hot: fc.boolean(),
  answer: fc.option(report, { freq: 2 }),
});

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('keep' as const),
      arrivals: fc.array(arriving, { minLength: 1, maxLength: 3 }),
      hot: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('send' as const),
      ends: fc.array(ending, { minLength: 1, maxLength: 3 }),
    }),
  },
  ...(['write', 'release', 'decide', 'stall', 'stall', 'beat'] as const).map((does) => ({
    weight: 1,
    arbitrary: fc.constant({ does }),
  })),
);

/** What each of so many workers does, one thing after the other; all of them at the same time. */
export function scripts(workers: number): fc.Arbitrary<readonly (readonly Deed[])[]> {
  const script = fc.array(deed, { minLength: 2, maxLength: 7 });
  return fc.array(script, { minLength: workers, maxLength: workers });
}
