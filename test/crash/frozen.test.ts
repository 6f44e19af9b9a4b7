import { expect } from 'chai';
import { until } from '../support/rabbitmq.ts';
import { World } from '../support/world.ts';
import type { Edits } from '../support/world-root.ts';
import { booking } from './load.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const BOOKINGS = 6;
/** A frozen instance is taken over after its lease and the longest send: with short sends the test is short. */
const SHORT_SENDS: Edits = ['alnoor-out', 'stmary-out', 'dawy-out'].map((channel) => [
  ['channels', channel, 'timeout'],
  '1s',
]);

describe('an engine that is frozen right before it sends, longer than its lease', () => {
  let world: World;

  before(async () => {
    world = await World.open({ engines: 2, edits: SHORT_SENDS });
  });
  after(() => world.close());

  it('sends nothing when it wakes: another has done it', async () => {
    const [frozen, other] = world.engines as [(typeof world.engines)[number], (typeof world.engines)[number]];
    await frozen.start({ HISBRIDGE_FAILPOINTS: 'M7:stop' });
    const stories = Array.from({ length: BOOKINGS }, (_, at) =>
      booking({ hospital: at % 2 === 0 ? 'alnoor' : 'stmary', story: 'only asked' }),
    );
    await Promise.all(stories.map(([first]) => world.dawy.publish(first!)));
    await until(() => frozen.frozen);
    const before = await world.hospitals.stmary.journal();
    expect(before).to.deep.equal([]);

    await other.start();
    await world.quiet();
    const done = await seen(world);
    frozen.wake();
    // It finds out that it was declared lost, and joins anew.
    await until(() => frozen.count('instance-fenced') > 0);
    await world.quiet();

    expect(await seen(world)).to.deep.equal(done);
    say(`${frozen.count('settle-fenced')} deliveries dropped by the one that was frozen`);
    await expectNobodyNeeded(world);
    const { summary } = await expectAllWell(world);
    expect(summary.effects).to.equal(BOOKINGS);
  });
});

/** How many requests either hospital ever saw. */
async function seen(world: World): Promise<Record<string, number>> {
  const { alnoor, stmary } = world.hospitals;
  return { alnoor: (await alnoor.journal()).length, stmary: (await stmary.journal()).length };
}
