import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { World } from '../support/world.ts';
import type { EngineProcess } from '../support/world-engine.ts';
import { plots, publish, publishAgain } from './load.ts';
import { type Chance, chanceOf } from './random.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const KILLS = Number(process.env['KILLS'] ?? 5);
const BOOKINGS_PER_KILL = 250;
const LONGEST_PAUSE_MS = 1_500;
const DEEP = process.env['DEEP'] === '1';
/** At which of the kills PostgreSQL goes too: killed in a deep run, which has one of its own; else it only ends every connection. */
const DATABASE_GOES = [Math.floor(KILLS / 3), Math.floor((2 * KILLS) / 3)];
/** Slow enough that a kill meets requests under way. */
const ANSWERS_AFTER_MS = 30;

describe(`two engines, killed ${KILLS} times`, () => {
  let world: World;

  before(async () => {
    world = await World.open({ engines: 2, ownDatabase: DEEP });
  });
  after(() => world.close());

  it('give every booking one effect, in order, and tell Dawy of each', async () => {
    const chance = chanceOf(say);
    await world.start();
    for (const hospital of Object.values(world.hospitals)) {
      await hospital.break('slow', { delayMs: ANSWERS_AFTER_MS });
      await hospital.break('reset-after', { rate: 0.03, seed: chance.seed });
      await hospital.break('reset-before', { rate: 0.02, seed: chance.seed + 1 });
    }

    for (let kill = 0; kill < KILLS; kill += 1) {
      const published = publish(world.dawy, plots(BOOKINGS_PER_KILL, chance), chance);
      await delay(chance.fraction() * LONGEST_PAUSE_MS);
      if (DATABASE_GOES.includes(kill))
        await (DEEP ? world.database.crash() : world.database.cutConnections());
      await Promise.all(doomed(world.engines, chance).map(killAndStart));
      await published;
    }
    await world.heal();
    await world.quiet();
    await publishAgain(world.dawy);
    await world.quiet();

    await expectNobodyNeeded(world);
    const { summary } = await expectAllWell(world);
    const left = world
      .logged('instance-took-over')
      .reduce((sum, { ambiguous }) => sum + Number(ambiguous), 0);
    say(
      `${left} deliveries perhaps sent when an engine died; alnoor recognized ${summary.recognizedRepeats} repeats`,
    );
    // Five kills may all fall between two sends; twenty may not.
    const met = DEEP ? left : left + summary.recognizedRepeats;
    expect(met, 'kills that met nothing under way prove nothing').to.be.greaterThan(0);
  });
});

/** One of the engines, or now and then all of them. */
function doomed(engines: readonly EngineProcess[], chance: Chance): readonly EngineProcess[] {
  return chance.hits(0.25) ? engines : [engines[chance.below(engines.length)]!];
}

async function killAndStart(engine: EngineProcess): Promise<void> {
  await engine.kill();
  await engine.start();
}
