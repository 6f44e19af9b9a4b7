import { expect } from 'chai';
import { pathOf, TABLE } from '../../../engine/booking/table.ts';
import type { BookingInput } from '../../../engine/booking.ts';
import { CANCEL, Conversation, FRIDAY, input, MONDAY, MOVE, REQUESTED, TUESDAY } from './conversation.ts';

/** Everything a hospital can say, by itself and as an answer. */
const REPORTS: readonly BookingInput[] = [
  input('booking.placed'),
  input('booking.placed', {}, REQUESTED),
  input('booking.placed', {}, MOVE),
  input('booking.confirmed', MONDAY),
  input('booking.confirmed', MONDAY, REQUESTED),
  input('booking.confirmed', TUESDAY, MOVE),
  input('booking.rescheduled', FRIDAY),
  input('booking.rescheduled', TUESDAY, MOVE),
  input('booking.rescheduled', {}, MOVE),
  input('booking.rejected'),
  input('booking.rejected', {}, REQUESTED),
  input('booking.rejected', {}, MOVE),
  input('booking.rejected', {}, CANCEL),
  input('booking.cancelled'),
  input('booking.cancelled', {}, CANCEL),
  input('booking.arrived'),
  input('booking.fulfilled'),
  input('booking.no-show'),
];

const REQUESTS = [input(REQUESTED, MONDAY), input(MOVE, TUESDAY), input(CANCEL)];

/** One booking standing at every place of the machine, found by saying everything to it. */
function everywhere(): ReadonlyMap<string, Conversation> {
  const found = new Map<string, Conversation>();
  const open = [new Conversation().take(REQUESTS[0]!)];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    const place = placeOf(at);
    if (found.has(place)) continue;
    found.set(place, at);
    for (const said of [...REQUESTS, ...REPORTS]) open.push(at.copy().take(said));
  }
  return found;
}

function placeOf(conversation: Conversation): string {
  return pathOf(conversation.known).join('/');
}

function nameOf({ type, asked }: BookingInput): string {
  const short = type.replace('booking.', '');
  return asked === null ? short : `${short} to ${asked.replace('booking.', '')}`;
}

interface Played {
  readonly state: string;
  readonly place: string;
  readonly outcomes: readonly (string | undefined)[];
}

function play(from: Conversation, reports: readonly BookingInput[]): Played {
  const conversation = from.copy();
  const outcomes = reports.map((report) => conversation.take(report).outcome);
  return { state: conversation.state, place: placeOf(conversation), outcomes };
}

// From one feed the order is the hospital's own. Where it cancels what was confirmed, and nobody asked it
// to, a yes of its own after that is an undo and a yes before it is not: there, and only there, the order
// is the news.
const UNDOS = ['confirmed', 'reschedule-requested/confirmed', 'cancelled/confirmed'].flatMap((place) =>
  ['confirmed', 'rescheduled'].flatMap((yes) =>
    [
      'cancelled',
      'cancelled to cancel-requested',
      ...(place === 'cancelled/confirmed' ? ['rejected', 'rejected to requested'] : []),
    ].map((no) => `${place}: ${yes}, ${no}`),
  ),
);

/** Where a cancel that Dawy asked for and the hospital granted can end: never in an appointment that is on. */
const CERTAIN_ENDS = ['cancelled', 'fulfilled', 'no-show'];

const STARTS = everywhere();
const PAIRS = REPORTS.flatMap((one, index) =>
  REPORTS.slice(index + 1).map((other): readonly [BookingInput, BookingInput] => [one, other]),
);

describe('reports that overtake each other', () => {
  it('are tried from every place of the machine', () => {
    expect([...STARTS.keys()].sort()).to.deep.equal([...TABLE.keys()].sort());
  });

  for (const [place, start] of STARTS) {
    it(`never throw and are never refused when the booking is ${place}`, () => {
      for (const [one, other] of PAIRS) {
        for (const order of [
          [one, other],
          [other, one],
        ]) {
          const { outcomes } = play(start, order);
          expect(outcomes, order.map(nameOf).join(', ')).to.not.include('illegal');
        }
      }
    });
  }

  it('end in one state whatever their order, or show the contradiction, but for the undo of a cancellation', () => {
    const depending: string[] = [];
    for (const [place, start] of STARTS) {
      for (const [one, other] of PAIRS) {
        const [forth, back] = [play(start, [one, other]), play(start, [other, one])];
        const shown = [...forth.outcomes, ...back.outcomes].includes('disagrees');
        if (forth.state !== back.state && !shown)
          depending.push(`${place}: ${nameOf(one)}, ${nameOf(other)}`);
      }
    }

    expect(depending).to.have.members(UNDOS);
  });
});

describe('reports that come twice', () => {
  for (const [place, start] of STARTS) {
    it(`change nothing the second time when the booking is ${place}`, () => {
      for (const report of REPORTS) {
        const { outcomes } = play(start, [report, report]);
        const expected = outcomes[0] === 'disagrees' ? 'disagrees' : 'unchanged';
        expect(outcomes[1], nameOf(report)).to.equal(expected);
      }
    });
  }

  it('in pairs, end where the pair ends, or show the contradiction', () => {
    for (const [one, other] of [...PAIRS, ...PAIRS.map(([one, other]) => [other, one] as const)]) {
      for (const [place, start] of STARTS) {
        const once = play(start, [one, other]);
        for (const order of [
          [one, one, other, other],
          [one, other, one, other],
        ]) {
          const twice = play(start, order);
          const shown = twice.outcomes.includes('disagrees');
          expect(shown || twice.state === once.state, `${place}: ${order.map(nameOf).join(', ')}`).to.equal(
            true,
          );
        }
      }
    }
  });

  it('are never taken for an undo of what Dawy cancelled', () => {
    for (const report of REPORTS) {
      for (const [place, start] of STARTS) {
        if (!place.startsWith('cancel-requested')) continue;
        const { state } = play(start, [report, input('booking.cancelled', {}, CANCEL), report, report]);
        expect(state, `${place}: ${nameOf(report)}`).to.be.oneOf(CERTAIN_ENDS);
      }
    }
  });
});
