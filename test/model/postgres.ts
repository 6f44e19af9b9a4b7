import type { TestDatabase } from '../support/postgres.ts';
import { describeEditions } from './edition/spec.ts';
import { describeLanes } from './lane/spec.ts';
import { describeLeases } from './lease/spec.ts';
import { describeWorkers } from './workers/spec.ts';
import { postgresWorld } from './worlds.ts';

/** How often each model is tried. */
interface Counts {
  readonly lanes: number;
  readonly editions: number;
  readonly leases: number;
  readonly workers: number;
}

/** Every model of the store over one PostgreSQL, one after the other over the same tables. */
export function describeModels(
  name: string,
  open: () => Promise<TestDatabase>,
  { count, deep }: { readonly count: Counts; readonly deep: Counts },
): void {
  let database: TestDatabase;
  before(async () => {
    database = await open();
  });
  after(() => database.drop());

  const emptied = async (): Promise<TestDatabase> => ({
    ...database,
    drop: async () => {
      await database.query('delete from hisbridge.delivery');
      await database.query('delete from hisbridge.instance');
    },
  });
  const world = async () => postgresWorld(await emptied());

  describeLanes(name, world, { count: count.lanes, deep: deep.lanes, hasPerson: true });
  describeEditions(name, world, { count: count.editions, deep: deep.editions, hasPerson: true });
  describeLeases(name, world, { count: count.leases, deep: deep.leases });
  describeWorkers(name, emptied, { count: count.workers, deep: deep.workers });
}
