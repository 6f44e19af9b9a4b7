import { expect } from 'chai';
import { type CutProxy, cutProxy } from '../support/cut-proxy.ts';
import { World } from '../support/world.ts';
import { plots, publish } from './load.ts';
import { chanceOf } from './random.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const BOOKINGS = process.env['DEEP'] === '1' ? 500 : 150;
const CUT = 0.3;

describe('an engine whose COMMITs get no reply, whether they were done or not', () => {
  let world: World;
  let proxy: CutProxy;

  before(async () => {
    world = await World.open({
      async through({ DATABASE_URL }) {
        proxy = await cutProxy(DATABASE_URL);
        return { DATABASE_URL: proxy.url };
      },
    });
  });
  after(async () => {
    await world.close();
    await proxy.close();
  });

  it('keeps each message once and has each effect once', async () => {
    const chance = chanceOf(say);
    await world.start();
    proxy.cutAtRate(CUT, chance.fraction);
    await publish(world.dawy, plots(BOOKINGS, chance), chance);
    await world.quiet();
    proxy.cutAtRate(0, chance.fraction);
    say(`${proxy.cuts} COMMITs cut, ${world.logged('commit-unknown').length} looked up`);

    expect(proxy.cuts).to.be.greaterThan(10);
    const published = world.dawy.published.length;
    expect(await world.database.keptFrom('dawy-in')).to.equal(published);
    await expectNobodyNeeded(world);
    const { summary } = await expectAllWell(world);
    expect(summary.effects).to.equal(published);
  });
});
