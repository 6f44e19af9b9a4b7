import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { until } from '../support/rabbitmq.ts';
import { World } from '../support/world.ts';
import { booking, type Plot } from './load.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const OFF_MS = 10_000;
const BOOKINGS = 60;
const ENGINE = fileURLToPath(new URL('engine-with.ts', import.meta.url));

describe('two engines whose clocks are twenty seconds apart', () => {
  let world: World;

  before(async () => {
    world = await World.open({
      engines: 2,
      engine: (index) => ({ program: [ENGINE, `--clock-off=${index === 0 ? OFF_MS : -OFF_MS}`] }),
    });
  });
  after(() => world.close());

  it('keep the order of every booking', async () => {
    const [ahead, behind] = world.engines as [(typeof world.engines)[number], (typeof world.engines)[number]];
    await ahead.start();
    await behind.start();
    // So slow that requests, moves and cancels of a booking wait together, kept by one clock or the other.
    await world.hospitals.alnoor.break('slow', { delayMs: 400 });
    await world.hospitals.stmary.break('slow', { delayMs: 400 });
    const stories = Array.from({ length: BOOKINGS }, (_, at): Plot => {
      return { hospital: at % 2 === 0 ? 'alnoor' : 'stmary', story: 'moved and cancelled' };
    }).map(booking);

    await Promise.all(stories.map(([first]) => world.dawy.publish(first!)));
    await until(async () => (await world.database.keptFrom('dawy-in')) === BOOKINGS);
    // Only one engine takes arrivals in at a time. The one whose clock is ahead kept the first; the other keeps the rest.
    await ahead.stop();
    await Promise.all(
      stories.map(async ([, second, third]) => {
        await world.dawy.publish(second!);
        await world.dawy.publish(third!);
      }),
    );
    await until(async () => (await world.database.keptFrom('dawy-in')) === 3 * BOOKINGS);
    await ahead.start();
    await world.heal();
    await world.quiet();

    const [asked, moved] = await Promise.all(
      ['booking.requested', 'booking.reschedule-requested'].map((type) => world.database.firstReceived(type)),
    );
    say(`requests from ${asked!.toISOString()}, their moves from ${moved!.toISOString()}`);
    expect(asked!.getTime(), 'by the clocks, the moves came first').to.be.greaterThan(moved!.getTime());
    await expectNobodyNeeded(world);
    const { summary } = await expectAllWell(world);
    expect(summary.effects).to.equal(3 * BOOKINGS);
  });
});
