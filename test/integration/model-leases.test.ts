import { describeLeases } from '../model/lease/spec.ts';
import { postgresWorld } from '../model/worlds.ts';
import { testDatabase } from '../support/postgres.ts';

describeLeases('PostgreSQL', async () => postgresWorld(await testDatabase()), { count: 10, deep: 100 });
