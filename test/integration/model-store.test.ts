import { describeModels } from '../model/postgres.ts';
import { testDatabase } from '../support/postgres.ts';

describe('the store in PostgreSQL beside a model', function () {
  this.timeout(60_000);

  describeModels('PostgreSQL', testDatabase, {
    count: { lanes: 50, editions: 10, leases: 12, workers: 150 },
    deep: { lanes: 300, editions: 60, leases: 60, workers: 2_000 },
  });
});
