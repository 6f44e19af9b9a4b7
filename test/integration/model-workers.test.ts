import { describeWorkers } from '../model/workers/spec.ts';
import { testDatabase } from '../support/postgres.ts';

describeWorkers('PostgreSQL', testDatabase, { count: 150, deep: 2_000 });
