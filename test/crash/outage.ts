import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '../support/rabbitmq.ts';
import type { World } from '../support/world.ts';
import { plots, publish } from './load.ts';
import { chanceOf } from './random.ts';
import { expectAllWell, expectNobodyNeeded, say } from './verdict.ts';

const DEEP = process.env['DEEP'] === '1';
/** How long stmary is away. */
export const AWAY_SECONDS = DEEP ? 60 : 20;
/** Load comes in rounds of this length, so that it lasts as long as the outage. */
const ROUND_MS = 5_000;
const ROUNDS = (AWAY_SECONDS * 1_000) / ROUND_MS;
const BOOKINGS_PER_ROUND = 60;

/** stmary is away under load at both hospitals, and comes back. Nobody is needed, and alnoor notices nothing. */
export async function takeStmaryAway(world: World): Promise<void> {
  const chance = chanceOf(say);
  await world.start();
  await publish(world.dawy, plots(BOOKINGS_PER_ROUND, chance), chance);
  await world.hospitals.stmary.break('down');
  for (let round = 0; round < ROUNDS; round += 1) {
    const pause = delay(ROUND_MS);
    await publish(world.dawy, plots(BOOKINGS_PER_ROUND, chance), chance);
    // While stmary is away: whatever alnoor was asked, Dawy hears of.
    const asked = world.dawy.published.filter(({ hospital }) => hospital === 'alnoor').length;
    await until(async () => (await world.database.answered('alnoor-out')) === asked);
    await pause;
  }
  expect((await world.hospitals.stmary.status()).listening).to.equal(false);
  const waiting = await world.database.count('delivery');
  expect(waiting).to.be.greaterThan(ROUNDS * 10);
  await expectNobodyNeeded(world);

  await world.heal();
  await world.quiet();
  say(`${waiting} deliveries waited for stmary`);
  await expectNobodyNeeded(world);
  const { summary } = await expectAllWell(world);
  expect(summary.effects).to.equal(world.dawy.published.length);
}
