import { expect } from 'chai';
import { BridgeError } from '../../../engine/errors.ts';
import type { DeliveryId } from '../../../engine/message.ts';
import { eventFor, type Finding, settleByHand } from '../../../engine/operations/settle.ts';
import { comesToHold } from '../../support/clock.ts';
import { bodyOf, Core, type CoreOptions, says, UNSAFE } from '../core.ts';
import { DECISION, TestOffice } from './office.ts';

const DELIVERED: Finding = { as: 'delivered', event: 'booking.confirmed', learnt: { hospitalRef: 'R-9' } };

describe('settling by hand', () => {
  let core: Core;
  let office: TestOffice;

  afterEach(() => core.engine.stop());

  /** A hospital that would book twice, and whose first answer is lost: the booking A is held. */
  async function held(
    later: NonNullable<CoreOptions['hospital']> = () => says('BOOKED'),
  ): Promise<DeliveryId> {
    core = new Core({
      routes: UNSAFE,
      hospital: (parcel, nth) =>
        nth === 1 ? new BridgeError('connection-reset', 'it broke off') : later(parcel, nth),
    });
    office = new TestOffice(core, UNSAFE);
    await core.engine.start();
    await core.ask('A');
    await core.done();
    const [open] = core.open;
    expect(open?.state).to.equal('held');
    return open?.id as DeliveryId;
  }

  async function refusalOf(act: Promise<unknown>): Promise<BridgeError> {
    try {
      await act;
    } catch (thrown) {
      if (thrown instanceof BridgeError) return thrown;
      throw thrown;
    }
    return expect.fail('it was done');
  }

  it('ends it as delivered, lets the booking learn the reference, and tells Dawy', async () => {
    const id = await held();
    const done = await settleByHand(office.parts, id, DELIVERED, DECISION);
    await core.done();
    expect(done).to.deep.equal({
      delivery: id,
      state: 'delivered',
      booking: { from: 'requested', to: 'confirmed' },
      refused: null,
    });
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.tables.bookings.get('A')?.context.hospitalRef).to.equal('R-9');
    expect(core.told).to.deep.equal(['dead-letter.opened', 'booking.confirmed']);
  });

  it('lets what waited behind it go, with the reference that was learnt', async () => {
    const id = await held(() => says('CANCELLED'));
    await core.ask('A', 'booking.cancel-requested');
    await settleByHand(office.parts, id, DELIVERED, DECISION);
    await core.done();
    expect(core.hospital.sent.map(bodyOf)).to.deep.include({ booking: 'A', cancel: 'R-9' });
    expect(core.ended).to.deep.equal(['delivered', 'delivered']);
    expect(core.hospital.sent).to.have.length(2);
  });

  it('sends the same bytes under the same key when it was not taken', async () => {
    const id = await held();
    const done = await settleByHand(office.parts, id, { as: 'not-taken' }, DECISION);
    expect(done.state).to.equal('queued');
    await comesToHold(() => core.ended.length === 1);
    const [first, second] = core.hospital.sent;
    expect(second?.key).to.equal(first?.key);
    expect(Buffer.from(second?.body ?? [])).to.deep.equal(Buffer.from(first?.body ?? []));
  });

  it('gives it up: nothing is sent, and the booking hears nothing', async () => {
    const id = await held();
    const done = await settleByHand(office.parts, id, { as: 'given-up' }, DECISION);
    await core.done();
    expect(done).to.deep.include({ state: 'given-up', booking: null });
    expect(core.ended).to.deep.equal(['given-up']);
    expect(core.hospital.sent).to.have.length(1);
    expect(core.tables.bookings.get('A')?.state).to.equal('requested');
  });

  it('ends it without a word to the booking when there is nothing to say', async () => {
    const id = await held();
    const done = await settleByHand(office.parts, id, { as: 'delivered', event: null, learnt: {} }, DECISION);
    expect(done.booking).to.equal(null);
    expect(core.tables.bookings.get('A')?.state).to.equal('requested');
  });

  it('ends it though the booking contradicts what is said, which is kept for a person', async () => {
    core = new Core({
      routes: UNSAFE,
      hospital: (_parcel, nth) =>
        nth === 1 ? says('BOOKED') : new BridgeError('connection-reset', 'it broke off'),
    });
    office = new TestOffice(core, UNSAFE);
    await core.engine.start();
    await core.ask('A');
    await core.ask('A', 'booking.cancel-requested');
    await core.done();
    const [open] = core.open;
    // A confirmation is no answer to a cancellation.
    const finding: Finding = { as: 'delivered', event: 'booking.confirmed', learnt: {} };
    const done = await settleByHand(office.parts, open?.id as DeliveryId, finding, DECISION);
    await core.done();
    expect(done.refused?.code).to.equal('booking-disagrees');
    expect(core.ended).to.deep.equal(['delivered', 'delivered']);
    expect(core.told).to.include('message.refused');
  });

  it('does not take an event that no hospital reports: nothing is done', async () => {
    const id = await held();
    const finding: Finding = { as: 'delivered', event: 'booking.confirmd', learnt: {} };
    expect((await refusalOf(settleByHand(office.parts, id, finding, DECISION))).code).to.equal('usage');
    expect(core.open[0]).to.include({ id, state: 'held' });
  });

  it('records it as a decision with the name of who decided', async () => {
    const id = await held();
    await settleByHand(office.parts, id, DELIVERED, DECISION);
    const decided = core.tables.attempts.find(({ kind }) => kind === 'decision');
    expect(decided).to.include({ delivery: id, outcome: 'delivered', summary: 'decided by a person' });
  });

  it('does nothing to one that does not stand still, or that another person settles meanwhile', async () => {
    const id = await held();
    const [one, other] = await Promise.allSettled([
      settleByHand(office.parts, id, DELIVERED, DECISION),
      settleByHand(office.parts, id, { as: 'given-up' }, DECISION),
    ]);
    expect(one.status).to.equal('fulfilled');
    expect(other).to.have.nested.property('reason.code', 'not-allowed');
    const again = await refusalOf(settleByHand(office.parts, id, DELIVERED, DECISION));
    expect(again.code).to.equal('not-allowed');
    await core.done();
    expect(core.ended).to.deep.equal(['delivered']);
  });
});

describe('what a booking hears when a person says that the hospital has it', () => {
  it('is placed, not confirmed: only the hospital says yes', () => {
    expect(eventFor('booking.requested')).to.equal('booking.placed');
    expect(eventFor('booking.reschedule-requested')).to.equal('booking.rescheduled');
    expect(eventFor('booking.cancel-requested')).to.equal('booking.cancelled');
    expect(eventFor('booking.confirmed')).to.equal(null);
  });
});
