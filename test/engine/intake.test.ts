import { expect } from 'chai';
import { BridgeError } from '../../engine/errors.ts';
import { calm, comesToHold } from '../support/clock.ts';
import { Core, type CoreOptions, says } from './core.ts';

const MINUTE = 60_000;

describe('intake', () => {
  let core: Core;

  async function start(options: CoreOptions = {}): Promise<Core> {
    core = new Core(options);
    await core.engine.start();
    return core;
  }

  afterEach(() => core.engine.stop());

  const kept = () =>
    [...core.tables.messages.values()].filter(({ message }) => message.channel === 'dawy-in');

  it('answers only what is kept, with all that follows from it', async () => {
    await start();
    core.hospital.hold();
    const receipt = await core.ask('A');
    expect(receipt.kind).to.equal('accepted');
    expect(kept().map(({ message }) => message.id)).to.deep.equal([receipt.id]);
    expect(core.open).to.have.length(1);
    expect(core.tables.bookings.get('A')?.state).to.equal('requested');
    core.hospital.release();
  });

  it('keeps in the order of the calls, however many come at once', async () => {
    await start();
    const bookings = Array.from({ length: 500 }, (_, n) => `B${n}`);
    await Promise.all(bookings.map((booking) => core.ask(booking)));
    expect(kept().map(({ booking }) => booking)).to.deep.equal(bookings);
  });

  it('rejects when the store is away: nothing was kept, and the same message is new when it comes again', async () => {
    await start();
    core.losable.lose();
    const thrown = await core.ask('A').then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(BridgeError).and.to.include({ code: 'store-unavailable' });
    expect(kept()).to.deep.equal([]);
    core.losable.restore();
    expect((await core.ask('A')).kind).to.equal('accepted');
    await core.done();
    expect(core.told).to.deep.equal(['booking.confirmed']);
  });

  it('answers a repeat as the first, and nothing follows from it', async () => {
    await start();
    const first = await core.ask('A');
    await core.done();
    const second = await core.ask('A');
    const [third, fourth] = await Promise.all([core.ask('B'), core.ask('B')]);
    await core.done();
    expect(second).to.deep.equal({ kind: 'duplicate', id: first.id });
    expect(fourth).to.deep.equal({ kind: 'duplicate', id: third.id });
    expect(core.hospital.sent).to.have.length(2);
    expect(core.told).to.deep.equal(['booking.confirmed', 'booking.confirmed']);
  });

  it('refuses another body under a used id; the corrected body of a refused one is new', async () => {
    await start();
    await core.ask('A', 'booking.requested', 'one');
    const reused = await core.ask('A', 'booking.requested', 'one', '2026-12-03T08:00:00Z');
    expect(reused.kind === 'refused' && reused.error.code).to.equal('id-reused');
    const wrong = await core.dawy.deliver('{"type":', { 'memory.id': 'two' });
    expect(wrong.kind === 'refused' && wrong.error.code).to.equal('body-unreadable');
    expect((await core.ask('B', 'booking.requested', 'two')).kind).to.equal('accepted');
    await core.done();
    expect([...core.told].sort()).to.deep.equal([
      'booking.confirmed',
      'booking.confirmed',
      'message.refused',
      'message.refused',
    ]);
  });

  it('steps a booking twice in one batch, each on what the one before it left', async () => {
    await start({ hospital: (_parcel, nth) => says(nth === 1 ? 'BOOKED' : 'CANCELLED') });
    const [, cancel, again] = await Promise.all([
      core.ask('A'),
      core.ask('A', 'booking.cancel-requested'),
      core.ask('A', 'booking.reschedule-requested'),
    ]);
    expect(cancel.kind).to.equal('accepted');
    expect(again.kind === 'refused' && again.error.code).to.equal('booking-out-of-turn');
    await core.done();
    expect(core.told.filter((type) => type !== 'message.refused')).to.deep.equal([
      'booking.confirmed',
      'booking.cancelled',
    ]);
  });

  it('tells a booking once that its deadline has passed', async () => {
    await start();
    core.hospital.hold();
    await core.ask('A');
    await core.clock.pass(4_000);
    expect(core.told).to.deep.equal([]);
    const booking = core.tables.bookings.get('A')!;
    core.tables.bookings.set('A', { ...booking, wakeAt: core.clock.now() });
    await core.clock.pass(10_000);
    expect(core.told.filter((type) => type === 'booking.unanswered')).to.have.length(1);
    core.hospital.release();
  });

  it('tells a booking nothing of a deadline it has moved past', async () => {
    await start();
    await core.ask('A');
    await core.done();
    await core.clock.pass(20 * MINUTE);
    expect(core.told).to.deep.equal(['booking.confirmed']);
    expect(core.tables.bookings.get('A')?.wakeAt).to.equal(null);
  });

  it('says what it refused by code and place, and no value of it', async () => {
    await start();
    await core.dawy.deliver('{"name":"S3cr3t"', { 'memory.id': 'bad' });
    await comesToHold(() => core.told.length === 1);
    const event = core.events.find(({ kind }) => kind === 'message-refused');
    expect(event).to.include({ channel: 'dawy-in', error: 'body-unreadable' });
    expect(JSON.stringify(core.events)).to.not.include('S3cr3t');
    await calm();
  });
});
