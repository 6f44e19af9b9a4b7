import { expect } from 'chai';
import type { Booking } from '../../../engine/booking.ts';
import type { DeliveryId, MessageId } from '../../../engine/message.ts';
import { plainSeal } from '../../../engine/seal.ts';
import { type BookingRow, bookingOf as readBooking } from '../../../engine/store/postgres/rows.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { bookingOf, desk, type Run } from './conversation.ts';
import { BOOKINGS } from './script.ts';

interface DeliveryRow {
  readonly id: DeliveryId;
  readonly booking: string;
  readonly seq: string;
  readonly state: string;
  readonly head: boolean;
}

interface StepRow {
  readonly message: MessageId;
  readonly version: string;
  readonly before: string | null;
  readonly after: string;
}

/** Holds what a run has left in the tables against what its workers were told. */
export async function expectBalanced(database: TestDatabase, run: Run): Promise<void> {
  const bookings = Array.from({ length: BOOKINGS }, (_, n) => bookingOf(run, n));
  await Promise.all([
    expectDeliveries(database, run),
    expectAttempts(database, run),
    expectRepeats(database, run),
    ...bookings.map((booking) => expectBooking(database, run, booking)),
  ]);
}

/** Each delivery that was promised is there once, went in the order of its lane, and nothing waits for what is over. */
async function expectDeliveries(database: TestDatabase, { channel, facts }: Run): Promise<void> {
  const rows = await database.query<DeliveryRow>(
    `select id, booking_ref as booking, seq, state, head from hisbridge.delivery where channel = $1
     union all
     select id, booking_ref, seq, ended_as, false from hisbridge.delivery_ended where channel = $1`,
    [channel],
  );
  expect(rows.map(({ id }) => id)).to.have.members([...facts.promised.keys()], 'what is there, once');
  const ended = rows.filter(({ state }) => state === 'delivered');
  expect(ended.map(({ id }) => id)).to.have.members([...facts.ended], 'what has ended');
  const moving = rows.filter(({ state }) => state === 'queued' || state === 'running');
  expect(moving, 'nothing is left to do').to.deep.equal([]);
  for (const { booking } of rows.filter(({ state }) => state === 'waiting')) {
    const heads = rows.filter((row) => row.booking === booking && row.head);
    expect(heads.map(({ state }) => state === 'held' || state === 'dead')).to.deep.equal([true]);
  }
  const seq = new Map(rows.map((row) => [row.id, Number(row.seq)]));
  for (const [booking, ids] of facts.handedOut) {
    const order = ids.map((id) => seq.get(id)!);
    expect(order, `the order of ${booking}`).to.deep.equal(order.toSorted((a, b) => a - b));
  }
}

/** Each settlement that was taken has its attempt, and one that was refused has left none. */
async function expectAttempts(database: TestDatabase, { facts }: Run): Promise<void> {
  const asked = [...facts.settled, ...facts.fenced];
  const rows = await database.query<{ id: string }>(
    'select id from hisbridge.attempt where id = any($1::uuid[])',
    [asked],
  );
  expect(rows.map(({ id }) => id)).to.have.members([...facts.settled]);
}

/** Of all that came under one id one was taken, and the repeats are told which. */
async function expectRepeats(database: TestDatabase, { name, facts }: Run): Promise<void> {
  for (const [key, taken] of facts.accepted) expect(taken.length, `taken under ${key}`).to.equal(1);
  for (const { key, of } of facts.duplicates) expect(facts.accepted.get(key)).to.deep.equal([of]);
  const wrong = await database.query(
    `select m.id from hisbridge.message m
      where m.booking like $1 and m.promised <> (select count(*) from hisbridge.delivery d where d.message_id = m.id)
        + (select count(*) from hisbridge.delivery_ended e where e.message_id = m.id)`,
    [`${name}-%`],
  );
  expect(wrong, 'messages without what they promised').to.deep.equal([]);
}

/** The versions have no gap, each step begins where the one before ended, and all of them together lead to what is there. */
async function expectBooking(database: TestDatabase, run: Run, reference: string): Promise<void> {
  const steps = await database.query<StepRow>(
    `select message_id as message, version, before, after from hisbridge.booking_step
      where reference = $1 order by version`,
    [reference],
  );
  const [row] = await database.query<BookingRow>('select * from hisbridge.booking where reference = $1', [
    reference,
  ]);
  expect(steps.map(({ version }) => Number(version))).to.deep.equal(steps.map((_, at) => at + 1));
  let booking: Booking | null = null;
  for (const { message, before, after } of steps) {
    const input = run.facts.inputs.get(message);
    if (input === undefined) throw new RangeError(`a step by ${message}, which said nothing`);
    expect(before).to.equal(booking?.state ?? null);
    const outcome = desk.step(reference, run.hospital, booking, input);
    if (outcome.kind !== 'moved') throw new RangeError(`${input.type} was lost on the way: ${outcome.kind}`);
    booking = outcome.booking;
    expect(after).to.equal(booking.state);
  }
  expect(row === undefined ? null : readBooking(plainSeal, row)).to.deep.equal(booking);
}
