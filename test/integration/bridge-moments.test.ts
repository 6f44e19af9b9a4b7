import { expect } from 'chai';
import { requested } from '../../sandbox/dawy/messages.ts';
import { TestNetwork } from '../support/bridge.ts';
import { until } from '../support/rabbitmq.ts';
import { EngineProcess } from '../support/world-engine.ts';

describe('an engine with a defect at one moment', function () {
  this.timeout(60_000);
  let network: TestNetwork;
  let engine: EngineProcess;

  before(async () => {
    network = await TestNetwork.open();
    engine = new EngineProcess({
      name: 'engine',
      root: network.folder,
      folder: network.folder,
      env: network.env as Readonly<Record<string, string>>,
      onLine: () => undefined,
    });
  });
  after(async () => {
    await engine.stop();
    engine.close();
    await network.close();
  });

  it('keeps nothing of a message when the defect is before its COMMIT, and all of it when the broker brings it again', async () => {
    await engine.start({ HISBRIDGE_FAILPOINTS: 'M2:throw#1' });
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    await network.told(wish.reference, 'booking.confirmed');
    await until(() => engine.count('failpoint') === 1);
    const kept = await network.kept('booking', wish.reference);
    expect(kept.map(({ state }) => state)).to.deep.equal(['kept']);
    const booked = (await network.alnoor.control.calendar()).filter(
      ({ reference }) => reference === wish.reference,
    );
    expect(booked).to.have.length(1);
    expect(await network.faults()).to.deep.equal([]);
  });
});
