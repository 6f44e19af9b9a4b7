import { setTimeout as delay } from 'node:timers/promises';
import { World } from '../support/world.ts';
import type { EngineProcess } from '../support/world-engine.ts';
import { plots, publish, publishAgain } from './load.ts';
import { type Chance, chanceOf } from './random.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const KILLS = Number(process.env['KILLS'] ?? 5);
const BOOKINGS_PER_KILL = 250;
const LONGEST_PAUSE_MS = 1_500;
/** At which of the kills PostgreSQL is killed too. */
const DATABASE_DIES = process.env['DEEP'] === '1' ? [Math.floor(KILLS / 3), Math.floor((2 * KILLS) / 3)] : [];

describe(`two engines, killed ${KILLS} times`, () => {
  let world: World;

  before(async () => {
    world = await World.open({ engines: 2, ownDatabase: DATABASE_DIES.length > 0 });
  });
  after(() => world.close());

  it('give every booking one effect, in order, and tell Dawy of each', async () => {
    const chance = chanceOf(say);
    await world.start();
    await world.hospitals.alnoor.break('reset-after', { rate: 0.03, seed: chance.seed });
    await world.hospitals.stmary.break('reset-after', { rate: 0.03, seed: chance.seed });
    await world.hospitals.stmary.break('reset-before', { rate: 0.02, seed: chance.seed + 1 });

    for (let kill = 0; kill < KILLS; kill += 1) {
      const published = publish(world.dawy, plots(BOOKINGS_PER_KILL, chance), chance);
      await delay(chance.fraction() * LONGEST_PAUSE_MS);
      if (DATABASE_DIES.includes(kill)) await world.database.crash();
      await killOne(world.engines, chance);
      await published;
    }
    await world.heal();
    await world.quiet();
    await publishAgain(world.dawy);
    await world.quiet();

    await expectNobodyNeeded(world);
    const { summary } = await expectAllWell(world);
    say(`${KILLS} kills, ${summary.recognizedRepeats} repeats recognized by alnoor`);
  });
});

/** Kills one of two engines at random and starts it again behind the test's back. */
async function killOne(engines: readonly EngineProcess[], chance: Chance): Promise<void> {
  const engine = engines[chance.below(engines.length)]!;
  await engine.kill();
  await engine.start();
}
