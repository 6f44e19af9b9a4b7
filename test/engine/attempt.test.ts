import { expect } from 'chai';
import { anAnswer } from '../../channels/memory/outbound.ts';
import { BridgeError } from '../../engine/errors.ts';
import { comesToHold } from '../support/clock.ts';
import { Core, says } from './core.ts';

const RESET = new BridgeError('connection-reset', 'the script breaks off');
const SECOND = 1_000;

describe('attempt', () => {
  const first = [
    ['the hospital had no time for', anAnswer({ signals: ['later'] })],
    ['may have been taken', RESET],
  ] as const;
  for (const [what, step] of first) {
    it(`sends what ${what} as it is on disk, though the plan of today cannot read its message`, async () => {
      const core = new Core({ hospital: (_parcel, nth) => (nth === 1 ? step : says('BOOKED')) });
      await core.engine.start();
      await core.ask('A');
      await comesToHold(() => core.open[0]?.state === 'queued');
      await core.engine.activate(core.planOf((text) => text.replace('type: /type', 'type: /kind')));
      await core.clock.pass(60 * SECOND);
      await core.done();
      const [sent, again] = core.hospital.sent;
      expect(core.hospital.sent).to.have.length(2);
      expect(again).to.deep.equal(sent);
      expect(core.ended).to.deep.equal(['delivered']);
      expect(core.told).to.deep.equal(['booking.confirmed']);
      await core.engine.stop();
    });
  }

  it('sends nothing new of a message that the plan of today cannot read', async () => {
    const core = new Core();
    await core.engine.start();
    core.hospital.hold();
    for (const booking of ['A', 'B', 'C']) await core.ask(booking);
    await core.engine.activate(core.planOf((text) => text.replace('type: /type', 'type: /kind')));
    core.hospital.release();
    await core.clock.pass(20 * SECOND);
    await core.done();
    expect(core.hospital.sent).to.have.length(2);
    expect(core.open.map(({ state }) => state)).to.deep.equal(['dead']);
    await core.engine.stop();
  });
});
