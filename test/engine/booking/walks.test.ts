import { expect } from 'chai';
import fc from 'fast-check';
import { DELAYS, REPORTS, REQUESTS } from '../../../engine/booking/machine.ts';
import { pathOf, placeAt } from '../../../engine/booking/table.ts';
import type { Booking, Learnt } from '../../../engine/booking.ts';
import { Conversation, desk, FRIDAY, input, MONDAY, START, TUESDAY } from './conversation.ts';

const learnt: fc.Arbitrary<Learnt> = fc.record(
  {
    hospitalRef: fc.constantFrom('H-7', 'H-8', '007'),
    slotStart: fc.constantFrom(MONDAY.slotStart, TUESDAY.slotStart, FRIDAY.slotStart, '202603020800', 'soon'),
    slotEnd: fc.constantFrom(MONDAY.slotEnd, TUESDAY.slotEnd),
    doctor: fc.string(),
    reason: fc.string(),
  },
  { requiredKeys: [] },
);

const said = fc.record({
  type: fc.constantFrom(...REQUESTS, ...REPORTS, 'timer'),
  learnt,
  asked: fc.constantFrom(null, ...REQUESTS),
});

const walk = fc.array(said, { minLength: 1, maxLength: 40 });

const RUNS = { numRuns: 2_000 };

/** Goes a walk and shows each step with the booking before and after it. */
function go(steps: readonly { type: string; learnt: Learnt; asked: string | null }[], see: See): void {
  const conversation = new Conversation().take(input('booking.requested', MONDAY));
  steps.forEach(({ type, learnt, asked }, index) => {
    const before = conversation.known;
    conversation.hear(type, learnt, asked, new Date(START.getTime() + index * 1_000));
    see(before, conversation, type);
  });
}

type See = (before: Booking, conversation: Conversation, type: string) => void;

describe('any conversation', () => {
  it('raises the version by one with each step that changes something, and with no other', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (before, conversation) => {
          const { known, outcome } = conversation;
          if (outcome !== 'moved') return expect(known).to.equal(before);
          expect(known.version).to.equal(before.version + 1);
          const same = { ...known, version: before.version };
          return expect(same).to.not.deep.equal(before);
        });
      }),
      RUNS,
    );
  });

  it('stands at a place of the machine, in a state the desk knows', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (_, { known }) => {
          expect(desk.states).to.include(known.state);
          expect(placeAt(pathOf(known)).path).to.deep.equal(pathOf(known));
        });
      }),
      RUNS,
    );
  });

  it('has a deadline exactly where an answer is waited for and not yet overdue', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (_, { known }) => {
          const waits = placeAt(pathOf(known)).patience !== null;
          const overdue = known.context.unansweredSince !== undefined;
          expect(known.wakeAt !== null).to.equal(waits && !overdue);
          expect(overdue && !waits, 'overdue where nothing is waited for').to.equal(false);
        });
      }),
      RUNS,
    );
  });

  it('comes back from JSON as it was, and goes on in the same way', () => {
    fc.assert(
      fc.property(walk, said, (steps, next) => {
        go(steps, (_, { known }) => {
          const context = JSON.parse(JSON.stringify(known.context));
          expect(context).to.deep.equal(known.context);
          const heard = input(next.type, next.learnt, next.asked);
          expect(desk.step('BK-1', known.hospital, { ...known, context }, heard)).to.deep.equal(
            desk.step('BK-1', known.hospital, known, heard),
          );
        });
      }),
      { numRuns: 300 },
    );
  });

  it('never refuses a report, never lets a request disagree, and names only legal requests', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (before, { last }, type) => {
          const kind = desk.kindOf(type);
          if (kind !== 'request') return expect(last?.kind).to.not.equal('illegal');
          if (last?.kind !== 'illegal') return expect(last?.kind).to.equal('moved');
          for (const legal of last.legal) {
            expect(desk.step('BK-1', before.hospital, before, input(legal)).kind).to.equal('moved');
          }
          return expect(last.legal).to.not.include(type);
        });
      }),
      RUNS,
    );
  });

  it('keeps the known hospital reference until it starts again', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (before, { known }, type) => {
          if (before.context.hospitalRef === undefined || type === 'booking.requested') return;
          expect(known.context.hospitalRef).to.be.a('string');
        });
      }),
      RUNS,
    );
  });

  it('tells Dawy nothing for a request, and one thing at most for a report', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (_, { last }, type) => {
          if (last?.kind !== 'moved') return;
          expect(last.says.length).to.be.at.most(desk.kindOf(type) === 'request' ? 0 : 1);
        });
      }),
      RUNS,
    );
  });

  it('waits no longer than the machine says', () => {
    const longest = Math.max(...Object.values(DELAYS));
    fc.assert(
      fc.property(walk, (steps) => {
        go(steps, (_, { known }) => {
          const waits = (known.wakeAt ?? START).getTime() - START.getTime();
          expect(waits).to.be.at.most(longest + steps.length * 1_000);
        });
      }),
      RUNS,
    );
  });
});
