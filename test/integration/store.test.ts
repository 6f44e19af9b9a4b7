import { SystemClock } from '../../engine/clock.ts';
import { systemRandom } from '../../engine/random.ts';
import { plainSeal } from '../../engine/seal.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { openPostgresStore, type PostgresStore } from '../../engine/store/postgres/store.ts';
import { testDatabase } from '../support/postgres.ts';
import { describeStore, digest, type StoreWorld } from '../support/store-conformance.ts';

describeStore('PostgreSQL', async (): Promise<StoreWorld> => {
  const database = await testDatabase();
  await migrate(database.url);
  const opened: PostgresStore[] = [];
  return {
    open: async (clockOffMs = 0) => {
      const clock = new SystemClock();
      const store = await openPostgresStore({
        url: database.url,
        seal: plainSeal,
        digest,
        clock,
        random: systemRandom,
        telemetry: { emit: () => undefined },
      });
      opened.push(store);
      clock.follow(new Date(Date.now() + clockOffMs));
      return store;
    },
    crash: (store) => store.close(),
    messages: async () => {
      const [row] = await database.query<{ count: number }>('select count(*)::int4 from hisbridge.message');
      return row?.count ?? 0;
    },
    deliveries: (booking) =>
      database.query(
        'select id, state, head from hisbridge.delivery where booking_ref is not distinct from $1 order by seq',
        [booking],
      ),
    async close() {
      await Promise.all(opened.map((store) => store.close()));
      await database.drop();
    },
  };
});
