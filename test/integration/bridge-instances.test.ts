import { expect } from 'chai';
import type { Bridge } from '../../engine/bridge.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { requested, type Wish } from '../../sandbox/dawy/messages.ts';
import { TestNetwork } from '../support/bridge.ts';
import { type CountingProxy, countingProxy } from '../support/counting-proxy.ts';
import { effects } from '../support/journal.ts';
import { until } from '../support/rabbitmq.ts';

/** What routes.yaml says alnoor bears at once. */
const MAX_IN_FLIGHT = 8;

describe('two engines over one database', function () {
  this.timeout(60_000);
  let network: TestNetwork;
  let proxy: CountingProxy;
  let first: Bridge;
  const wishes: Wish[] = [];
  const byFirst: EngineEvent[] = [];
  const bySecond: EngineEvent[] = [];

  before(async () => {
    network = await TestNetwork.open({
      between: {
        alnoor: async (address) => {
          proxy = await countingProxy(address);
          return proxy.address;
        },
      },
    });
    first = await network.start(byFirst);
  });

  after(async () => {
    await network.close();
    proxy.close();
  });

  async function publish(count: number): Promise<void> {
    const more = Array.from({ length: count }, () => network.wish('alnoor'));
    wishes.push(...more);
    await Promise.all(more.map((wish) => network.publish(requested(wish))));
  }

  const sentBy = (events: readonly EngineEvent[]) =>
    events.filter((event) => event.kind === 'delivery-settled' && event.channel === 'alnoor-out').length;
  const confirmed = () => network.heard.filter(({ type }) => type === 'booking.confirmed').length;

  it('share what the hospital bears, and never send it more, also while one joins under load', async () => {
    await network.alnoor.control.break('slow', { delayMs: 60 });
    await publish(200);
    await until(() => sentBy(byFirst) > 0);
    await network.start(bySecond);
    // Enough for both, however long the second takes to be given its share.
    while (sentBy(bySecond) < 50) {
      await publish(50);
      await until(() => wishes.length - confirmed() < 100);
    }
    expect(sentBy(byFirst)).to.be.above(0);
  });

  it('hand over when one is stopped in order: nothing is lost and nothing is sent twice', async () => {
    await publish(100);
    await network.stop(first);
    const before = sentBy(byFirst);
    await publish(50);
    await until(() => confirmed() === wishes.length);
    expect(sentBy(byFirst)).to.equal(before);
    const journal = await network.alnoor.control.journal();
    expect(journal.length).to.equal(wishes.length);
    expect(new Set(effects(journal).map(({ reference }) => reference)).size).to.equal(wishes.length);
  });

  it('have never had more before the hospital than it bears', () => {
    expect(proxy.mostAtOnce())
      .to.be.at.most(MAX_IN_FLIGHT)
      .and.to.be.at.least(MAX_IN_FLIGHT - 2);
  });

  it('have left no fault behind, and the ledger agrees', async () => {
    await network.quiet();
    expect(await network.faults()).to.deep.equal([]);
  });
});
