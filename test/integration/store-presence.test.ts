import { expect } from 'chai';
import pg from 'pg';
import { SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { systemRandom } from '../../engine/random.ts';
import { plainSeal } from '../../engine/seal.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { INSTANCE_LOCKS } from '../../engine/store/postgres/presence.ts';
import { openPostgresStore, type PostgresStore } from '../../engine/store/postgres/store.ts';
import { type CutProxy, cutProxy } from '../support/cut-proxy.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import {
  arrival,
  digest,
  edition,
  OUT,
  oneDelivery,
  ROUTE,
  settlement,
} from '../support/store-conformance.ts';

describe('the connection that shows that an instance lives', function () {
  this.timeout(60_000);
  let database: TestDatabase;

  const open = (url: string): Promise<PostgresStore> =>
    openPostgresStore({
      url,
      seal: plainSeal,
      digest,
      clock: new SystemClock(),
      random: systemRandom,
      telemetry: { emit: () => undefined },
    });
  const until = async (is: () => boolean) => {
    while (!is()) await new Promise((resolve) => setImmediate(resolve));
  };

  before(async () => {
    database = await testDatabase();
    await migrate(database.url);
  });
  after(() => database.drop());

  it('is not held from when its backend is ended until the lock is taken again', async () => {
    const store = await open(database.url);
    const member = await store.join();
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    const [row] = await database.query<{ slot: number; pid: number }>(
      `select i.slot, l.pid from hisbridge.instance i
         join pg_locks l on l.locktype = 'advisory' and l.classid = ${INSTANCE_LOCKS} and l.objid::int4 = i.slot
        where i.id = $1`,
      [member.id],
    );
    expect(member.holds()).to.equal(true);
    const taken = other.query(`select pg_advisory_lock(${INSTANCE_LOCKS}, $1)`, [row?.slot]);
    await database.query('select pg_terminate_backend($1)', [row?.pid]);
    await taken;
    await until(() => !member.holds());
    // The membership is open again and waits for the lock that another has: it does not hold it.
    for (;;) {
      const waiting = await database.query(
        `select 1 from pg_locks where locktype = 'advisory' and classid = ${INSTANCE_LOCKS} and not granted`,
      );
      if (waiting.length > 0) break;
    }
    expect(member.holds()).to.equal(false);
    await other.end();
    await until(() => member.holds());
    await member.leave();
    expect(member.holds()).to.equal(false);
    await store.close();
  });

  /** A store that has used all its connections, before a network that has gone silent. */
  const silenced = async (): Promise<{ readonly store: PostgresStore; readonly proxy: CutProxy }> => {
    const proxy = await cutProxy(database.url);
    const store = await open(proxy.url);
    await (await store.join()).beat({ plan: 'plan-1', honours: 1, graceMs: 1_000 });
    await store.keep([arrival('{"a":1}')], oneDelivery());
    const [work] = await store.claim(OUT, [ROUTE], 1);
    if (work === undefined) throw new TypeError('nothing to claim');
    await store.writeEditions([edition(work)]);
    await store.settle([settlement(work, { kind: 'ended', as: 'delivered' })], () => ({
      messages: [],
      step: null,
    }));
    await store.ledgerDifferences();
    proxy.silence();
    return { store, proxy };
  };

  it('closes with all the others, though the network is silent', async () => {
    const { store, proxy } = await silenced();
    await store.close();
    await proxy.close();
  });

  it('gives up a silent network when the instance joins anew', async () => {
    const { store, proxy } = await silenced();
    const joining = await store.join().then(
      () => 'joined',
      (thrown: unknown) => (thrown instanceof BridgeError ? thrown.code : String(thrown)),
    );
    expect(joining).to.equal('store-unavailable');
    await store.close();
    await proxy.close();
  });
});
