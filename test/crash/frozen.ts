import { expect } from 'chai';
import { until } from '../support/rabbitmq.ts';
import type { World } from '../support/world.ts';
import type { Edits } from '../support/world-root.ts';
import { booking } from './load.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const BOOKINGS = 6;
/** A frozen instance is taken over after its lease and the longest send: with short sends the test is short. */
export const SHORT_SENDS: Edits = ['alnoor-out', 'stmary-out', 'dawy-out'].map((channel) => [
  ['channels', channel, 'timeout'],
  '1s',
]);

/**
 * An engine is frozen right before it sends, longer than its lease, and woken after another has done its work: it must
 * send nothing.
 */
export async function freezeOne(world: World): Promise<void> {
  const [frozen, other] = world.engines as [(typeof world.engines)[number], (typeof world.engines)[number]];
  await frozen.start({ HISBRIDGE_FAILPOINTS: 'M7:stop' });
  const stories = Array.from({ length: BOOKINGS }, (_, at) =>
    booking({ hospital: at % 2 === 0 ? 'alnoor' : 'stmary', story: 'only asked' }),
  );
  await Promise.all(stories.map(([first]) => world.dawy.publish(first!)));
  await until(() => frozen.frozen);
  expect(await seen(world)).to.deep.equal({ alnoor: 0, stmary: 0 });

  await other.start();
  await world.quiet();
  const done = await seen(world);
  // Each delivery freezes it again right before its send, until it finds out that it was declared lost, and joins anew.
  await until(() => {
    if (frozen.frozen) frozen.wake();
    return frozen.count('instance-fenced') > 0;
  });
  await world.quiet();

  expect(await seen(world)).to.deep.equal(done);
  say(`${frozen.count('settle-fenced')} deliveries dropped by the engine that was frozen`);
  await expectNobodyNeeded(world);
  const { summary } = await expectAllWell(world);
  expect(summary.effects).to.equal(BOOKINGS);
}

/** How many requests either hospital ever saw. */
async function seen(world: World): Promise<Record<string, number>> {
  const { alnoor, stmary } = world.hospitals;
  return { alnoor: (await alnoor.journal()).length, stmary: (await stmary.journal()).length };
}
