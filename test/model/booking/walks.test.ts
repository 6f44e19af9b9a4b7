import { expect } from 'chai';
import fc from 'fast-check';
import { DELAYS, REPORTS, REQUESTS } from '../../../engine/booking/machine.ts';
import { pathOf, placeAt } from '../../../engine/booking/table.ts';
import type { Booking, BookingOutcome, Learnt } from '../../../engine/booking.ts';
import {
  Conversation,
  desk,
  FRIDAY,
  input,
  MONDAY,
  START,
  TUESDAY,
} from '../../engine/booking/conversation.ts';
import { runs } from '../runs.ts';
import { mayAsk, WAITING, WAYS } from './rule.ts';

const learnt: fc.Arbitrary<Learnt> = fc.record(
  {
    hospitalRef: fc.constantFrom('H-7', 'H-8', '007'),
    slotStart: fc.constantFrom(MONDAY.slotStart, TUESDAY.slotStart, FRIDAY.slotStart, '202603020800', 'soon'),
    slotEnd: fc.constantFrom(MONDAY.slotEnd, TUESDAY.slotEnd),
    doctor: fc.constantFrom('D-1', ''),
    reason: fc.constantFrom('full', 'ill'),
  },
  { requiredKeys: [] },
);

const said = fc.record({
  type: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...REQUESTS) },
    { weight: 5, arbitrary: fc.constantFrom(...REPORTS) },
    { weight: 1, arbitrary: fc.constant('timer') },
  ),
  learnt,
  asked: fc.constantFrom(null, ...REQUESTS),
});
type Said = typeof said extends fc.Arbitrary<infer One> ? One : never;

const walk = fc.array(said, { minLength: 1, maxLength: 40 });

/** One step of a walk: what was said, and the booking before and after it. */
interface Step {
  readonly said: Said;
  readonly before: Booking;
  readonly after: Booking;
  readonly outcome: BookingOutcome;
  readonly at: Date;
}

/** Goes a walk and shows each step. */
function go(walked: readonly Said[], see: (step: Step) => void): void {
  const conversation = new Conversation().take(input('booking.requested', MONDAY));
  walked.forEach((one, index) => {
    const before = conversation.known;
    const at = new Date(START.getTime() + index * 1_000);
    conversation.hear(one.type, one.learnt, one.asked, at);
    see({ said: one, before, after: conversation.known, outcome: conversation.last!, at });
  });
}

/** Cheaper than an assertion: there are millions of these. */
function check(holds: boolean, what: string, { said: { type }, before, after }: Step): void {
  if (!holds) throw new RangeError(`${what}: ${type}, ${before.state} to ${after.state}`);
}

function checkVersion(step: Step): void {
  const { before, after, outcome } = step;
  const moved = outcome.kind === 'moved';
  check(moved ? after.version === before.version + 1 : after === before, 'its version', step);
  if (!moved) return;
  const isNew = (Object.keys(after) as (keyof Booking)[]).some(
    (name) => name !== 'version' && after[name] !== before[name],
  );
  check(isNew, 'a step that changes something', step);
}

/** The hospital's reference was learnt, and nothing else. */
function isNote({ before, after, outcome }: Step): boolean {
  if (outcome.kind !== 'moved' || outcome.says.length > 0) return false;
  const { hospitalRef, ...rest } = after.context;
  const known = before.context as Record<string, unknown>;
  const isSame = Object.entries(rest).every(([name, value]) => known[name] === value);
  return before.context.hospitalRef === undefined && hospitalRef !== undefined && isSame;
}

/** Only what the agreement knows happens; a request is heard exactly where it makes sense, and a report anywhere. */
function checkWay(step: Step): void {
  const { said, before, after, outcome } = step;
  if (outcome.kind === 'moved' && !isNote(step))
    check(WAYS[said.type]?.[before.state]?.includes(after.state) ?? false, 'a way there is', step);
  const isRequest = desk.kindOf(said.type) === 'request';
  const isHeard = outcome.kind === 'moved';
  if (isRequest) check(isHeard === mayAsk(before.state).includes(said.type), 'asked where it may be', step);
  else check(outcome.kind !== 'illegal', 'a report is never refused', step);
  if (outcome.kind === 'illegal')
    check(outcome.legal.join() === mayAsk(before.state).join(), 'the legal ones are named', step);
  if (isRequest) check(outcome.kind !== 'disagrees', 'a request never disagrees', step);
}

function checkDeadline(step: Step): void {
  const { after, at } = step;
  const isOverdue = after.context.unansweredSince !== undefined;
  const waits = WAITING.includes(after.state);
  check((after.wakeAt !== null) === (waits && !isOverdue), 'a deadline where an answer is waited for', step);
  check(waits || !isOverdue, 'overdue only where an answer is waited for', step);
  const longest = Math.max(...Object.values(DELAYS));
  check(
    (after.wakeAt ?? at).getTime() <= at.getTime() + longest,
    'waits no longer than the machine says',
    step,
  );
}

function checkWords({ said, outcome, before, after, ...rest }: Step): void {
  const step = { said, outcome, before, after, ...rest };
  if (outcome.kind === 'moved')
    check(
      outcome.says.length <= (desk.kindOf(said.type) === 'request' ? 0 : 1),
      'says nothing of what was asked, and one thing of what was reported',
      step,
    );
  if (before.context.hospitalRef !== undefined && said.type !== 'booking.requested')
    check(after.context.hospitalRef !== undefined, 'keeps the reference of the hospital', step);
  check(
    placeAt(pathOf(after)).path.join() === pathOf(after).join(),
    'stands at a place of the machine',
    step,
  );
  check(desk.states.includes(after.state), 'in a state the desk knows', step);
}

/** The same word a second time says nothing new, and the deadline of a state passes once. */
function checkTwice(step: Step): void {
  const { said, after, outcome, at } = step;
  if (desk.kindOf(said.type) === 'request') return;
  const { kind } = desk.step('BK-1', after.hospital, after, input(said.type, said.learnt, said.asked, at));
  check(
    kind === (outcome.kind === 'disagrees' ? 'disagrees' : 'unchanged'),
    `the second time: ${kind}`,
    step,
  );
}

describe('any conversation with a booking', function () {
  this.timeout(120_000);

  it('goes only ways that there are, without a gap, hears what it must, and nothing twice', () => {
    fc.assert(
      fc.property(walk, (walked) => {
        go(walked, (step) => {
          checkVersion(step);
          checkWay(step);
          checkDeadline(step);
          checkWords(step);
          checkTwice(step);
        });
      }),
      runs(20_000, 200_000),
    );
  });

  it('comes back from JSON as it was, and goes on in the same way', () => {
    fc.assert(
      fc.property(walk, said, (walked, next) => {
        go(walked, ({ after }) => {
          const context = JSON.parse(JSON.stringify(after.context));
          expect(context).to.deep.equal(after.context);
          const heard = input(next.type, next.learnt, next.asked);
          expect(desk.step('BK-1', after.hospital, { ...after, context }, heard)).to.deep.equal(
            desk.step('BK-1', after.hospital, after, heard),
          );
        });
      }),
      runs(300),
    );
  });

  it('goes every way that there is', () => {
    const gone = new Set<string>();
    fc.assert(
      fc.property(walk, (walked) => {
        go(walked, (step) => {
          const { said, before, after, outcome } = step;
          if (outcome.kind === 'moved' && !isNote(step))
            gone.add(`${said.type}: ${before.state} to ${after.state}`);
        });
      }),
      { ...runs(5_000), seed: 1 },
    );
    const ways = Object.entries(WAYS).flatMap(([type, from]) =>
      Object.entries(from).flatMap(([before, to]) => to.map((after) => `${type}: ${before} to ${after}`)),
    );
    const first = 'booking.requested: none to requested';
    expect([...gone, first]).to.have.members(ways);
  });
});
