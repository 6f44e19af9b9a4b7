import { expect } from 'chai';
import { until } from '../support/rabbitmq.ts';
import { World } from '../support/world.ts';
import { plots, publish } from './load.ts';
import { chance } from './random.ts';
import { say } from './verdict.ts';

const WAITING = Number(process.env['WAITING'] ?? 100_000);
const DELIVERED = 2_000;
const MOST_MEGABYTES = 250;
const AT_ONCE = 400;

// Too long for every run; a deep one has the time.
if (process.env['DEEP'] === '1')
  describe(`an engine with ${WAITING} messages waiting`, () => {
    let world: World;

    before(async () => {
      world = await World.open();
    });
    after(() => world.close());

    it(`needs at most ${MOST_MEGABYTES} MB, taking them in and delivering them`, async () => {
      const many = plots(WAITING, chance(1)).map(
        ({ hospital }) => ({ hospital, story: 'only asked' }) as const,
      );
      await publish(world.dawy, many, chance(1), AT_ONCE);
      await Promise.all(Object.values(world.hospitals).map((hospital) => hospital.break('down')));
      const [engine] = world.engines;
      await engine!.start();
      say(`${engine!.peakMegabytes.toFixed(0)} MB when ready`);
      await until(async () => (await world.database.keptFrom('dawy-in')) === WAITING);
      say(`${engine!.peakMegabytes.toFixed(0)} MB after all were taken in`);
      await world.heal();
      await until(async () => (await world.database.answered('alnoor-out')) >= DELIVERED);
      say(`${engine!.peakMegabytes.toFixed(0)} MB after ${DELIVERED} were delivered`);
      expect(engine!.peakMegabytes).to.be.within(1, MOST_MEGABYTES);
      expect(world.logged('defect')).to.deep.equal([]);
    });
  });
