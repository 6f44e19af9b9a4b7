import { describeModels } from '../model/postgres.ts';
import { OLDEST, oldestPrograms, startOldest } from '../support/oldest-postgres.ts';
import { databaseOn, type TestServer } from '../support/postgres.ts';

describe(`the oldest PostgreSQL, ${OLDEST}`, function () {
  this.timeout(60_000);
  const programs = oldestPrograms();
  if ('missing' in programs) {
    it.skip(`is not tried: ${programs.missing}`);
    return;
  }
  let server: TestServer;
  before(async () => {
    server = await startOldest(programs.folder);
  });
  describeModels(`PostgreSQL ${OLDEST}`, () => databaseOn(server), {
    count: { lanes: 12, editions: 3, leases: 3, workers: 20 },
    deep: { lanes: 80, editions: 15, leases: 15, workers: 300 },
  });
  // Last: its databases are dropped before.
  after(() => server.stop());
});
