import { describeLanes } from '../model/lane/spec.ts';
import { postgresWorld } from '../model/worlds.ts';
import { testDatabase } from '../support/postgres.ts';

describeLanes('PostgreSQL', async () => postgresWorld(await testDatabase()), {
  count: 60,
  deep: 400,
  hasPerson: true,
});
