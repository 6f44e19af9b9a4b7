import { expect } from 'chai';
import fc from 'fast-check';
import type { ChannelName, SystemName } from '../../../engine/message.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { freshId } from '../../support/store-conformance.ts';
import { runs } from '../runs.ts';
import { type PostgresWorld, postgresWorld } from '../worlds.ts';
import type { Run } from './conversation.ts';
import { Facts } from './facts.ts';
import { expectBalanced } from './ledger.ts';
import { type Deed, scripts } from './script.ts';
import { Worker } from './worker.ts';

const WORKERS = 4;
const STALL = `update hisbridge.instance set beat = beat - interval '20 seconds' where id = $1`;
const DEADLOCKS = 'select deadlocks::int4 as count from pg_stat_database where datname = current_database()';

/** Whatever some workers do at the same time, nothing is lost, doubled, overtaken or forgotten, and none waits for another in a ring. */
export function describeWorkers(
  name: string,
  open: () => Promise<TestDatabase>,
  { count, deep }: { readonly count: number; readonly deep: number },
): void {
  describe(`${WORKERS} workers at once over ${name}`, function () {
    this.timeout(480_000);
    let world: PostgresWorld;
    let workers: readonly Worker[];
    let deadlocks = 0;

    before(async () => {
      world = await postgresWorld(await open());
      const stall = (instance: string) => world.database.query(STALL, [instance]);
      const hired: Worker[] = [];
      for (let n = 0; n < WORKERS; n += 1) hired.push(await Worker.hire(n, await world.open(), stall));
      workers = hired;
      deadlocks = await deadlocksIn(world);
    });
    after(() => world.close());

    it('lose nothing, do nothing twice and overtake nothing, whatever each of them does', async () => {
      await fc.assert(
        fc.asyncProperty(scripts(WORKERS), (all) => workAtOnce(world, workers, all)),
        // Not made smaller: who meets whom is another each time, and the first sight of it says the most.
        { ...runs<[readonly (readonly Deed[])[]]>(count, deep), endOnFailure: true },
      );
    });

    it('never waited for each other in a ring', async () => {
      // What a session has seen is counted when it ends.
      await Promise.all(workers.map((worker) => worker.leave()));
      expect(await deadlocksIn(world)).to.equal(deadlocks);
    });
  });
}

async function workAtOnce(
  world: PostgresWorld,
  workers: readonly Worker[],
  all: readonly (readonly Deed[])[],
): Promise<void> {
  const name = freshId<string>();
  const run: Run = {
    name,
    channel: `out-${name}` as ChannelName,
    hospital: `of-${name}` as SystemName,
    facts: new Facts(),
  };
  const failures = [
    ...(await everyone(workers, (worker, n) => worker.follow(run, all[n]!))),
    ...(await everyone(workers, (worker) => worker.finish(run))),
  ];
  // What one that was declared lost had, and somebody was just reading, is given back at the next beat.
  if (all.flat().some(({ does }) => does === 'stall')) await workers[0]!.beat(run);
  failures.push(...(await everyone(workers.slice(0, 1), (worker) => worker.clear(run))));
  if (failures.length > 0) throw failures[0];
  await expectBalanced(world.database, run);
}

/** Lets all of them end. Resolves with what went wrong, the first one first. */
async function everyone(
  workers: readonly Worker[],
  act: (worker: Worker, n: number) => Promise<void>,
): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  await Promise.all(workers.map((worker, n) => act(worker, n).catch((thrown) => failures.push(thrown))));
  return failures;
}

async function deadlocksIn({ database }: PostgresWorld): Promise<number> {
  return (await database.query<{ count: number }>(DEADLOCKS))[0]?.count ?? -1;
}
