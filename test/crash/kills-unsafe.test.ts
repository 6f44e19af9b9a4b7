import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { World } from '../support/world.ts';
import { settleFromJournal } from '../support/world-person.ts';
import type { Edits } from '../support/world-root.ts';
import { plots, publish } from './load.ts';
import { chanceOf } from './random.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const KILLS = process.env['DEEP'] === '1' ? 8 : 2;
const BOOKINGS_PER_KILL = 120;
const EARLIEST_MS = 300;
const LONGEST_PAUSE_MS = 700;
const MAX_IN_FLIGHT = 4;

/** A hospital that books again what it is sent again, and cannot be asked. */
const UNSAFE: Edits = [
  [['channels', 'stmary-out', 'repeats'], 'unsafe'],
  [['channels', 'stmary-out', 'probe'], undefined],
];

describe(`an engine before a hospital that cannot be asked, killed ${KILLS} times`, () => {
  let world: World;

  before(async () => {
    world = await World.open({ edits: UNSAFE });
  });
  after(() => world.close());

  it('holds what it cannot know, and goes on as a person says', async () => {
    const chance = chanceOf(say);
    await world.start();
    const [engine] = world.engines;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const published = publish(world.dawy, plots(BOOKINGS_PER_KILL, chance), chance);
      await delay(EARLIEST_MS + chance.fraction() * LONGEST_PAUSE_MS);
      await engine!.kill();
      await engine!.start();
      await published;
    }
    await world.quiet();

    const stopped = await world.database.stopped();
    expect(stopped.filter(({ state }) => state !== 'held')).to.deep.equal([]);
    expect(stopped.filter(({ channel }) => channel !== 'stmary-out')).to.deep.equal([]);
    expect(stopped.length).to.be.at.most(KILLS * MAX_IN_FLIGHT);
    await expectAllWell(world);

    const { delivered, notTaken } = await settleFromJournal(world, stopped);
    say(`${stopped.length} held: ${delivered} were there, ${notTaken} were not`);
    await world.quiet();
    await expectNobodyNeeded(world);
    const { summary } = await expectAllWell(world);
    expect(summary.effects).to.equal(world.dawy.published.length);
  });
});
