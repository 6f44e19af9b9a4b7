import { expect } from 'chai';
import { anAnswer } from '../../../channels/memory/outbound.ts';
import type { Answer } from '../../../engine/channel.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { DeliveryId } from '../../../engine/message.ts';
import { probe, settleByProbe } from '../../../engine/operations/probe.ts';
import { comesToHold } from '../../support/clock.ts';
import { bodyOf, Core, PROBED, says, UNSAFE } from '../core.ts';
import { DECISION, TestOffice } from './office.ts';

const found = (there: boolean): Answer =>
  anAnswer({ body: Buffer.from(JSON.stringify({ found: there, status: 'BOOKED', id: 'R-7' })) });

describe('probing by hand', () => {
  let core: Core;
  let office: TestOffice;

  afterEach(() => core.engine.stop());

  /** The hospital called the request of A wrong: dead. What it says to questions is the test's. */
  async function dead(
    answer: Answer | Error,
    { routes = PROBED, first = says('NO', 'wrong') as Answer | Error } = {},
  ): Promise<DeliveryId> {
    const hospital = (parcel: Parameters<typeof bodyOf>[0], nth: number) =>
      bodyOf(parcel)['find'] !== undefined ? answer : nth === 1 ? first : says('BOOKED');
    const withVerdicts = (text: string) =>
      routes(text).replace(
        '    maxInFlight: 2',
        '    maxInFlight: 2\n    verdicts: { taken: taken, wrong: wrong }',
      );
    core = new Core({ routes: withVerdicts, hospital });
    office = new TestOffice(core, withVerdicts);
    await core.engine.start();
    await core.ask('A');
    await core.done();
    return core.open[0]?.id as DeliveryId;
  }

  const asked = () => core.hospital.sent.filter((parcel) => bodyOf(parcel)['find'] !== undefined);

  it('asks and changes nothing', async () => {
    const id = await dead(found(true));
    const probed = await probe(office.parts, id);
    expect(probed.found).to.deep.equal({ word: 'taken' });
    expect(core.open[0]).to.include({ id, state: 'dead' });
    expect(core.hospital.sent).to.have.length(2);
    expect(asked()).to.have.length(1);
  });

  it('ends what was found, and the booking hears what the hospital says of it', async () => {
    const id = await dead(found(true));
    const done = await settleByProbe(office.parts, await probe(office.parts, id), DECISION);
    await core.done();
    expect(done).to.deep.include({ state: 'delivered', booking: { from: 'requested', to: 'confirmed' } });
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.tables.bookings.get('A')?.context.hospitalRef).to.equal('R-7');
    expect(core.told).to.include('booking.confirmed');
  });

  it('sends what is absent again, under its key', async () => {
    const id = await dead(found(false));
    const done = await settleByProbe(office.parts, await probe(office.parts, id), DECISION);
    expect(done?.state).to.equal('queued');
    await comesToHold(() => core.ended.length === 1);
    const sent = core.hospital.sent.filter((parcel) => bodyOf(parcel)['find'] === undefined);
    expect(new Set(sent.map(({ key }) => key)).size).to.equal(1);
    expect(sent).to.have.length(2);
  });

  for (const [what, answer] of [
    ['says neither', anAnswer({ body: Buffer.from('{}') })],
    ['does not answer', new BridgeError('answer-timeout', 'no answer')],
    ['is away', new BridgeError('connection-failed', 'no connection')],
  ] as const) {
    it(`changes nothing when the hospital ${what}`, async () => {
      const id = await dead(answer);
      const probed = await probe(office.parts, id);
      expect(probed.found.word).to.equal('unsure');
      expect(await settleByProbe(office.parts, probed, DECISION)).to.equal(null);
      expect(core.open[0]).to.include({ id, state: 'dead' });
    });
  }

  it('does nothing when somebody settled it meanwhile', async () => {
    const id = await dead(found(true));
    const probed = await probe(office.parts, id);
    await settleByProbe(office.parts, probed, DECISION);
    const again = await settleByProbe(office.parts, probed, DECISION).catch((thrown: unknown) => thrown);
    expect(again).to.have.property('code', 'not-allowed');
    await core.done();
    expect(core.ended).to.deep.equal(['delivered']);
  });

  it('is not possible where the channel has no probe', async () => {
    const id = await dead(found(true), { routes: UNSAFE });
    const refused = await probe(office.parts, id).catch((thrown: unknown) => thrown);
    expect(refused).to.be.instanceOf(BridgeError);
    expect(refused).to.have.property('code', 'not-allowed');
    expect(asked()).to.have.length(0);
  });
});
