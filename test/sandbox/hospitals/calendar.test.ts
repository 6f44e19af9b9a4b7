import { expect } from 'chai';
import { Calendar, type Decision, type Wish } from '../../../sandbox/hospitals/calendar.ts';

const slot = { start: '2026-12-02T08:00:00+03:00', end: '2026-12-02T08:30:00+03:00' };
const later = { start: '2026-12-02T11:00:00+03:00', end: '2026-12-02T11:30:00+03:00' };
const patient = { id: '0012345', name: 'Layla Example', birthDate: null, phone: null };

function wish(reference: string, change: Partial<Wish> = {}): Wish {
  return { reference, doctor: 'DR-881', ...slot, patient, note: null, ...change };
}

function had(calendar: Calendar, decision: Decision) {
  if (decision.kind !== 'effect') expect.fail(`an effect, not ${decision.kind}`);
  calendar.put(decision.after);
  return decision;
}

describe('the calendar of a hospital', () => {
  it('books a free slot under a number of its own', () => {
    const calendar = new Calendar('AN');

    const booked = had(calendar, calendar.book(wish('BK-1'), 1));

    expect(booked).to.include({ effect: 'booked', repeatOf: null });
    expect(calendar.get('AN-000001')).to.include({ reference: 'BK-1', status: 'booked', start: slot.start });
  });

  it('changes nothing by deciding', () => {
    const calendar = new Calendar('AN');

    calendar.book(wish('BK-1'), 1);

    expect(calendar.all()).to.be.empty;
  });

  it('refuses a slot another booking holds and says the next free ones in the zone it was asked in', () => {
    const calendar = new Calendar('AN');
    had(calendar, calendar.book(wish('BK-1'), 1));
    had(
      calendar,
      calendar.book(
        wish('BK-2', { start: '2026-12-02T08:30:00+03:00', end: '2026-12-02T09:00:00+03:00' }),
        2,
      ),
    );

    const decision = calendar.book(wish('BK-3'), 3);

    expect(decision).to.deep.equal({
      kind: 'slot-taken',
      alternatives: ['2026-12-02T09:00:00+03:00', '2026-12-02T09:30:00+03:00', '2026-12-02T10:00:00+03:00'],
    });
  });

  it('knows a slot by its instant, whatever the offset it is written with', () => {
    const calendar = new Calendar('AN');
    had(calendar, calendar.book(wish('BK-1'), 1));

    const decision = calendar.book(
      wish('BK-2', { start: '2026-12-02T05:00:00Z', end: '2026-12-02T05:30:00Z' }),
      2,
    );

    expect(decision.kind).to.equal('slot-taken');
  });

  it('gives the same slot of another doctor', () => {
    const calendar = new Calendar('AN');
    had(calendar, calendar.book(wish('BK-1'), 1));

    expect(calendar.book(wish('BK-2', { doctor: 'DR-2' }), 2).kind).to.equal('effect');
  });

  it('books the same external reference twice and says so', () => {
    const calendar = new Calendar('SM');
    had(calendar, calendar.book(wish('BK-1'), 1));

    const again = had(calendar, calendar.book(wish('BK-1'), 2));

    expect(again.repeatOf).to.equal(1);
    expect(calendar.of('BK-1').map(({ hospitalRef }) => hospitalRef)).to.deep.equal([
      'SM-000001',
      'SM-000002',
    ]);
  });

  it('keeps a slot that is booked twice until both are cancelled', () => {
    const calendar = new Calendar('SM');
    had(calendar, calendar.book(wish('BK-1'), 1));
    had(calendar, calendar.book(wish('BK-1'), 2));

    had(calendar, calendar.cancel('SM-000001', 3));
    expect(calendar.book(wish('BK-2'), 4).kind).to.equal('slot-taken');

    had(calendar, calendar.cancel('SM-000002', 5));
    expect(calendar.book(wish('BK-2'), 6).kind).to.equal('effect');
  });

  it('frees the old slot by a move and holds the new one', () => {
    const calendar = new Calendar('AN');
    had(calendar, calendar.book(wish('BK-1'), 1));

    had(calendar, calendar.move('AN-000001', later, 2));

    expect(calendar.book(wish('BK-2'), 3).kind).to.equal('effect');
    expect(calendar.book(wish('BK-3', later), 4).kind).to.equal('slot-taken');
    expect(calendar.activeAt('BK-1', later.start)).to.include({ hospitalRef: 'AN-000001' });
    expect(calendar.activeAt('BK-1', slot.start)).to.equal(undefined);
  });

  it('refuses a move to a slot another booking holds, and the old slot stays', () => {
    const calendar = new Calendar('AN');
    had(calendar, calendar.book(wish('BK-1'), 1));
    had(calendar, calendar.book(wish('BK-2', later), 2));

    expect(calendar.move('AN-000001', later, 3).kind).to.equal('slot-taken');
    expect(calendar.get('AN-000001')).to.include({ start: slot.start });
  });

  it('knows a move to where the appointment is, and a second cancel, as second effects', () => {
    const calendar = new Calendar('SM');
    had(calendar, calendar.book(wish('BK-1'), 1));
    had(calendar, calendar.move('SM-000001', later, 2));

    expect(had(calendar, calendar.move('SM-000001', later, 3)).repeatOf).to.equal(2);
    expect(had(calendar, calendar.cancel('SM-000001', 4)).repeatOf).to.equal(null);
    expect(had(calendar, calendar.cancel('SM-000001', 5)).repeatOf).to.equal(4);
  });

  it('does not know what it never booked, and moves nothing that is cancelled', () => {
    const calendar = new Calendar('AN');
    had(calendar, calendar.book(wish('BK-1'), 1));
    had(calendar, calendar.cancel('AN-000001', 2));

    expect(calendar.move('AN-000009', later, 3)).to.deep.equal({ kind: 'unknown' });
    expect(calendar.cancel('AN-000009', 3)).to.deep.equal({ kind: 'unknown' });
    expect(calendar.move('AN-000001', later, 3)).to.deep.equal({ kind: 'unknown' });
  });

  const nonsense: readonly (readonly [string, Partial<Wish>])[] = [
    ['without an external reference', { reference: '' }],
    ['without a doctor', { doctor: '' }],
    ['without a patient number', { patient: { ...patient, id: '' } }],
    ['without a patient name', { patient: { ...patient, name: '' } }],
    ['with a start without an offset', { start: '2026-12-02T08:00:00' }],
    ['with a day that does not exist', { start: '2026-13-02T08:00:00Z' }],
    ['that ends before it starts', { end: '2026-12-02T07:30:00+03:00' }],
  ];
  for (const [what, change] of nonsense) {
    it(`refuses a request ${what}`, () => {
      expect(new Calendar('AN').book(wish('BK-1', change), 1).kind).to.equal('invalid');
    });
  }
});
