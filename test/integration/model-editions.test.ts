import { describeEditions } from '../model/edition/spec.ts';
import { postgresWorld } from '../model/worlds.ts';
import { testDatabase } from '../support/postgres.ts';

describeEditions('PostgreSQL', async () => postgresWorld(await testDatabase()), {
  count: 15,
  deep: 150,
  hasPerson: true,
});
