import { expect } from 'chai';
import pg from 'pg';
import { type MessageId, newId } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { SCHEMA_LOCK } from '../../engine/store/postgres/partitions.ts';
import { INSTANCE_LOCKS } from '../../engine/store/postgres/presence.ts';
import type { PostgresStore } from '../../engine/store/postgres/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { codeOf, openTestStore } from '../support/postgres-store.ts';
import { until } from '../support/rabbitmq.ts';
import { arrival, edition, OUT, oneDelivery, ROUTE } from '../support/store-conformance.ts';

const REPORT = { plan: 'plan-1', honours: 1, graceMs: 1_000 };
const DAY_MS = 86_400_000;

describe('what the store does when somebody ends what it is doing in PostgreSQL', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let store: PostgresStore;
  /** Another user of the database, who holds what the store needs. */
  let holder: pg.Client;
  const events: EngineEvent[] = [];

  before(async () => {
    database = await testDatabase();
    await migrate(database.url);
  });
  after(() => database.drop());

  beforeEach(async () => {
    events.length = 0;
    store = await openTestStore(database.url, events);
    holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
  });
  afterEach(async () => {
    await holder.end();
    await store.close();
  });

  /**
   * Lets something wait for what the holder takes, ends its statement or its whole connection from outside as an
   * administrator would, and only then lets the holder go. Resolves with what became of it.
   */
  async function ended<T>(
    how: 'pg_cancel_backend' | 'pg_terminate_backend',
    { takes, of, what }: { readonly takes: string; readonly of: string; readonly what: () => Promise<T> },
  ): Promise<T> {
    await holder.query('begin');
    await holder.query(takes);
    const doing = what();
    doing.catch(() => undefined);
    let pids: readonly number[] = [];
    await until(async () => {
      const found = await database.query<{ pid: number }>(
        `select pid, ${how}(pid) from pg_stat_activity
          where datname = current_database() and application_name like $1 and wait_event_type = 'Lock'`,
        [`hisbridge ${of}%`],
      );
      pids = found.map(({ pid }) => pid);
      return pids.length > 0;
    });
    // Asked to end, it has ended once it waits no more.
    const waits = 'select 1 from pg_locks where pid = any($1) and not granted';
    await until(async () => (await database.query(waits, [pids])).length === 0);
    await holder.query('rollback');
    return await doing;
  }

  /** A delivery that the store has claimed, for a booking of its own. */
  async function claimed(booking: string) {
    await store.keep([arrival(`{"booking":"${booking}"}`, { booking })], oneDelivery());
    const work = (await store.claim(OUT, [ROUTE], 100)).find(({ bookingRef }) => bookingRef === booking);
    return work ?? expect.fail('nothing to claim');
  }

  it('writes an edition once, over a new connection, when the one before is ended', async () => {
    const member = await store.join();
    const work = await claimed('E-1');
    const written = await ended('pg_terminate_backend', {
      takes: `select 1 from hisbridge.delivery where id = '${work.delivery.id}' for update`,
      of: 'editions',
      what: () => store.writeEditions([edition(work)]),
    });
    expect(written).to.deep.equal([true]);
    const rows = await database.query('select 1 from hisbridge.edition where id = $1', [
      work.delivery.edition,
    ]);
    expect(rows).to.have.length(1);
    expect(events).to.deep.include({ kind: 'commit-unknown', what: 'edition', found: true });
    await member.leave();
  });

  it('gives a delivery back later when it is not let now, and nothing of it halfway', async () => {
    const member = await store.join();
    const work = await claimed('R-1');
    await store.writeEditions([edition(work)]);
    const { id } = work.delivery;
    const released = await ended('pg_cancel_backend', {
      takes: 'lock table hisbridge.attempt in exclusive mode',
      of: 'claims',
      what: () => codeOf(store.release([id])),
    });
    expect(released).to.equal('store-unavailable');
    expect(await store.owned()).to.include(id);
    expect(await store.release([id])).to.equal(1);
    expect(await store.owned()).to.not.include(id);
    await member.leave();
  });

  it('takes a beat that was ended for a store that is away, not for a defect, and beats again', async () => {
    const member = await store.join();
    await member.beat(REPORT);
    for (const how of ['pg_cancel_backend', 'pg_terminate_backend'] as const) {
      const beaten = await ended(how, {
        takes: 'select 1 from hisbridge.instance for update',
        of: 'claims',
        what: () => codeOf(member.beat(REPORT)),
      });
      expect(beaten, how).to.equal('store-unavailable');
      expect((await member.beat(REPORT))?.living).to.deep.equal([member.id]);
    }
    const left = await ended('pg_terminate_backend', {
      takes: 'select 1 from hisbridge.instance for update',
      of: 'claims',
      what: () => codeOf(member.leave()),
    });
    expect(left).to.equal('store-unavailable');
    expect(member.holds()).to.equal(false);
  });

  it('does not join while its row cannot be written, and does when it can', async () => {
    const joined = await ended('pg_terminate_backend', {
      takes: 'lock table hisbridge.instance in exclusive mode',
      of: 'listen',
      what: () => codeOf(store.join()),
    });
    expect(joined).to.equal('store-unavailable');
    const member = await store.join();
    expect((await member.beat(REPORT))?.living).to.include(member.id);
    await member.leave();
  });

  it('takes its lock again however often the connection that waits for it is ended', async () => {
    const member = await store.join();
    const [row] = await database.query<{ slot: number; pid: number }>(
      `select i.slot, l.pid from hisbridge.instance i
         join pg_locks l on l.locktype = 'advisory' and l.classid = ${INSTANCE_LOCKS} and l.objid::int4 = i.slot
        where i.id = $1`,
      [member.id],
    );
    const waiting = holder.query(`select pg_advisory_lock(${INSTANCE_LOCKS}, $1)`, [row?.slot]);
    await database.query('select pg_terminate_backend($1)', [row?.pid]);
    await waiting;
    const ends = new Set<number>();
    await until(async () => {
      const found = await database.query<{ pid: number }>(
        `select pid, pg_terminate_backend(pid) from pg_locks
          where locktype = 'advisory' and classid = ${INSTANCE_LOCKS} and not granted
            and database = (select oid from pg_database where datname = current_database())`,
      );
      for (const { pid } of found) ends.add(pid);
      return ends.size > 1;
    });
    expect(member.holds()).to.equal(false);
    await holder.query('select pg_advisory_unlock_all()');
    await until(() => member.holds());
    expect((await member.beat(REPORT))?.living).to.include(member.id);
    await member.leave();
  });

  for (const how of ['pg_cancel_backend', 'pg_terminate_backend'] as const) {
    it(`keeps nothing for a day whose places were not made (${how}), and makes them all the next time`, async () => {
      const days = how === 'pg_cancel_backend' ? 70 : 80;
      const far = { now: () => new Date(Date.now() + days * DAY_MS) } as Parameters<typeof newId>[0];
      const late = () => {
        const one = arrival(`{"far":${days}}`, { id: `far-${days}` });
        return [{ ...one, message: { ...one.message, id: newId<MessageId>(far, systemRandom) } }];
      };
      const kept = await ended(how, {
        takes: `select pg_advisory_xact_lock(${SCHEMA_LOCK})`,
        of: 'read',
        what: () => codeOf(store.keep(late(), oneDelivery())),
      });
      expect(kept).to.equal('store-unavailable');
      const [again] = await store.keep(late(), oneDelivery());
      expect(again).to.include({ kind: 'accepted' });
      const open = await database.query(
        `select 1 from pg_stat_activity where application_name like 'hisbridge %' and state like 'idle in transaction%'`,
      );
      expect(open).to.deep.equal([]);
    });
  }

  it("makes no tables at all when one of them is somebody else's", async () => {
    const other = await testDatabase();
    await other.query('create schema hisbridge');
    await other.query('create table hisbridge.booking (somebody_else int)');
    const thrown = await migrate(other.url).then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).to.match(/relation "booking" already exists/);
    const tables = await other.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'hisbridge'::regnamespace and relkind in ('r', 'p') order by 1`,
    );
    expect(tables.map(({ name }) => name)).to.deep.equal(['booking', 'migration']);
    await other.query('drop table hisbridge.booking');
    expect((await migrate(other.url))[0]).to.equal('0001-core.sql');
    await other.drop();
  });
});
