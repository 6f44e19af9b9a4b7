import { expect } from 'chai';
import { anAnswer } from '../../channels/memory/outbound.ts';
import { createDesk } from '../../engine/booking/desk.ts';
import { calm, comesToHold } from '../support/clock.ts';
import { Core, type CoreOptions, says } from './core.ts';

const SECOND = 1_000;

describe('settler', () => {
  let core: Core;

  async function start(options: CoreOptions = {}): Promise<Core> {
    core = new Core(options);
    await core.engine.start();
    return core;
  }

  afterEach(() => core.engine.stop());

  const refused = () => [...core.tables.messages.values()].filter((kept) => kept.refused !== null);

  const unmapped: readonly (readonly [what: string, answer: string, code: string])[] = [
    ['that no line of the route maps', '{"status":"PERHAPS"}', 'answer-unmapped'],
    ['that cannot be decoded', '{"status":', 'answer-unreadable'],
    ['without a word', '', 'answer-unreadable'],
  ];
  for (const [what, answer, code] of unmapped) {
    it(`ends a delivery by its verdict though it has an answer ${what}, which is kept for a person`, async () => {
      await start({ hospital: () => anAnswer({ body: Buffer.from(answer) }) });
      await core.ask('A');
      await core.done();
      expect(core.ended).to.deep.equal(['delivered']);
      const [kept] = refused();
      const [request] = [...core.tables.messages.values()];
      expect(kept?.refused?.code).to.equal(code);
      expect(Buffer.from(kept?.message.body ?? []).toString()).to.equal(answer);
      expect(kept?.message.cause).to.equal(request?.message.id);
      expect(core.told).to.deep.equal(['message.refused']);
      expect(core.tables.bookings.get('A')?.state).to.equal('requested');
    });
  }

  it('ends a delivery by its verdict though what follows from its answer is a defect of ours', async () => {
    const desk = createDesk();
    await start({
      desk: {
        ...desk,
        step: (reference, hospital, booking, input) => {
          if (input.kind === 'report') throw new RangeError('a defect');
          return desk.step(reference, hospital, booking, input);
        },
      },
    });
    await core.ask('A');
    await core.done();
    expect(core.ended).to.deep.equal(['delivered']);
    expect(refused().map(({ refused: error }) => error?.code)).to.deep.equal(['store-rejected']);
  });

  it('asks a store that is ready and still takes no settlement once a second, and loses nothing of it', async () => {
    await start();
    const asked = core.losable.refuse('settle');
    await core.ask('A');
    await calm(200);
    expect(asked()).to.equal(2);
    await core.clock.pass(3 * SECOND);
    expect(asked()).to.equal(5);
    core.losable.restore();
    await core.clock.pass(SECOND);
    await core.done();
    expect(core.hospital.sent).to.have.length(1);
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.told).to.deep.equal(['booking.confirmed']);
  });

  it('keeps an answer that contradicts the booking for a person, and the booking as it was', async () => {
    await start({ hospital: () => says('BOOKED') });
    await core.ask('A');
    await core.ask('A', 'booking.cancel-requested');
    await core.done();
    expect(core.ended).to.deep.equal(['delivered', 'delivered']);
    expect(refused().map(({ refused: error }) => error?.code)).to.deep.equal(['booking-disagrees']);
    expect(core.tables.bookings.get('A')?.state).to.equal('cancel-requested');
    expect(core.told).to.deep.equal(['booking.confirmed', 'message.refused']);
  });

  it('tells Dawy of a no once, and it is no dead letter', async () => {
    await start({ hospital: () => says('NO', 'declined') });
    await core.ask('A');
    await core.done();
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.open).to.deep.equal([]);
    expect(core.told).to.deep.equal(['booking.rejected']);
  });

  it('waits while the store is away rather than lose an answer it knows', async () => {
    await start();
    core.losable.lose('settle');
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    await core.clock.pass(60 * SECOND);
    expect(core.ended).to.deep.equal([]);
    core.losable.restore();
    await core.done();
    expect(core.hospital.sent).to.have.length(1);
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.told).to.deep.equal(['booking.confirmed']);
    expect(core.events.filter(({ kind }) => kind === 'defect')).to.deep.equal([]);
  });

  it('changes nothing for a delivery that another instance has taken over meanwhile', async () => {
    await start();
    core.hospital.hold();
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    const [mine] = core.open;
    core.tables.change(mine!.id, { owner: 'another instance' });
    core.hospital.release();
    await comesToHold(() => core.events.some(({ kind }) => kind === 'settle-fenced'));
    expect(core.ended).to.deep.equal([]);
    expect(core.open[0]).to.include({ state: 'running', owner: 'another instance' });
    expect(core.told).to.deep.equal([]);
    expect(core.tables.bookings.get('A')?.state).to.equal('requested');
  });

  it('writes one attempt for each try, with what came of it', async () => {
    await start({
      hospital: (_parcel, nth) =>
        nth === 1 ? anAnswer({ signals: ['later'], summary: 'not now' }) : says('BOOKED'),
    });
    await core.ask('A');
    await core.clock.pass(30 * SECOND);
    await core.done();
    const id = [...core.tables.ended.keys()][0];
    const mine = core.tables.attempts.filter(({ delivery }) => delivery === id);
    expect(mine.map(({ kind, no, outcome }) => [kind, no, outcome])).to.deep.equal([
      ['send', 1, 'later'],
      ['send', 2, 'taken'],
    ]);
    expect(mine[0]?.summary).to.equal('not now');
  });
});
