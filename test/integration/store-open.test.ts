import { expect } from 'chai';
import pg from 'pg';
import { SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { keyedDigest } from '../../engine/lane.ts';
import type { MessageId } from '../../engine/message.ts';
import { newId } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import { plainSeal } from '../../engine/seal.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import {
  type OpenOptions,
  openPostgresStore,
  type PostgresStore,
} from '../../engine/store/postgres/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { Link } from '../proof/link.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/rabbitmq.ts';
import {
  arrival,
  digest,
  edition,
  OUT,
  oneDelivery,
  ROUTE,
  settlement,
} from '../support/store-conformance.ts';

const REPORT = { plan: 'plan-1', honours: 1, graceMs: 1_000 };
const DELIVERED = { kind: 'ended', as: 'delivered' } as const;
const nothing = () => ({ messages: [], step: null });

describe('opening the store in PostgreSQL', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  const stores: PostgresStore[] = [];
  const events: EngineEvent[] = [];

  const open = async (more: Partial<OpenOptions> = {}): Promise<PostgresStore> => {
    const store = await openPostgresStore({
      url: database.url,
      seal: plainSeal,
      digest,
      clock: new SystemClock(),
      random: systemRandom,
      telemetry: { emit: (event) => events.push(event) },
      ...more,
    });
    stores.push(store);
    return store;
  };
  const codeOf = (opening: Promise<unknown>): Promise<string> =>
    opening.then(
      () => 'it opened',
      (thrown: unknown) => (thrown instanceof BridgeError ? thrown.code : String(thrown)),
    );

  before(async () => {
    database = await testDatabase();
  });
  after(async () => {
    await database.drop();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  it('wants the tables of this version, and makes them once however many ask', async () => {
    expect(await codeOf(open())).to.equal('store-outdated');
    const applied = await Promise.all([migrate(database.url), migrate(database.url)]);
    expect(applied.flat()).to.deep.equal(['0001-core.sql', '0002-digest-key.sql']);
    expect(await codeOf(open())).to.equal('it opened');
    await database.query(`insert into hisbridge.migration (name, checksum) values ('9999-later.sql', '-')`);
    expect(await codeOf(open())).to.equal('store-outdated');
    await database.query(`delete from hisbridge.migration where name = '9999-later.sql'`);
  });

  it('refuses a server that forgets commits, unless told to live with it', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${name} set synchronous_commit = off`);
    expect(await codeOf(open())).to.equal('store-unsafe');
    const store = await open({ allowUnsafe: true });
    expect(store.dangers.join()).to.contain('synchronous_commit');
    await database.query(`alter database ${name} reset synchronous_commit`);
  });

  it('refuses another digest key than the one the database was begun with', async () => {
    const other = { digest: keyedDigest('another secret of the tests') };
    // Whoever only looks decides nothing.
    await open(other);
    await open({ begins: true });
    expect(await codeOf(open(other))).to.equal('store-unsafe');
    expect(await codeOf(open({ ...other, begins: true }))).to.equal('store-unsafe');
    expect((await open({ ...other, allowUnsafe: true })).dangers).to.have.length(1);
    await open();
  });

  it('says that the store is unavailable where no server is', async () => {
    const url = new URL(database.url);
    url.port = '1';
    expect(await codeOf(open({ url: url.href }))).to.equal('store-unavailable');
  });

  it('says that the store is unavailable when the connection breaks while it is opened', async () => {
    const link = await Link.open(database.url);
    const asked = (chunk: Buffer) => (chunk.includes('hisbridge.migration') ? 0 : null);
    const broken = link.catch(asked).then((caught) => caught.reset());
    const code = await codeOf(open({ url: link.url }));
    await broken;
    await link.close();
    expect(code).to.equal('store-unavailable');
  });

  it('has the days from yesterday to a fortnight ahead, and finds a place for ids outside them', async () => {
    const days = await database.query<{ count: number }>(
      `select count(*)::int4 from pg_inherits where inhparent = 'hisbridge.message'::regclass`,
    );
    expect(days[0]?.count).to.equal(16);
    const store = await open();
    const far = {
      now: () => new Date(Date.now() + 40 * 86_400_000),
      monotonicMs: () => 0,
      sleep: () => Promise.resolve(),
      turn: () => Promise.resolve(),
      alarm: () => () => undefined,
    };
    const early = arrival('{"far":1}', { booking: 'FAR-1' });
    const message = { ...early.message, id: newId<MessageId>(far, systemRandom) };
    const [kept] = await store.keep([{ ...early, message }], oneDelivery());
    expect(kept).to.include({ kind: 'accepted' });
    expect(events.some((event) => event.kind === 'batch-retried' && event.reason === 'place')).to.equal(true);
  });

  it('keeps living when its connection breaks and nobody took over', async () => {
    const store = await open();
    const member = await store.join();
    await member.beat(REPORT);
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hisbridge listen%'`,
    );
    const held = `select count(*)::int4 as count from pg_locks where locktype = 'advisory' and classid <> 0 and objsubid = 2`;
    for (let count = 0; count < 1; ) count = (await database.query<{ count: number }>(held))[0]?.count ?? 0;
    expect((await member.beat(REPORT))?.living).to.deep.equal([member.id]);
    await member.leave();
  });

  it('takes over a frozen instance after lease and deadline, which then changes nothing more', async () => {
    const [frozen, other] = [await open(), await open()];
    const frozenMember = await frozen.join();
    const member = await other.join();
    await frozenMember.beat(REPORT);
    await member.beat(REPORT);
    await frozen.keep([arrival('{"frozen":1}', { booking: 'FROZEN-1' })], oneDelivery({ hot: true }));
    const [id] = await frozen.owned();
    const again = await frozen.owned();
    expect(again).to.deep.equal([id]);
    expect((await member.beat(REPORT))?.recovered.queued).to.equal(0);
    await database.query(
      `update hisbridge.instance set beat = beat - interval '16.5 seconds' where id = $1`,
      [frozenMember.id],
    );
    expect((await member.beat(REPORT))?.recovered).to.deep.equal({ queued: 1, ambiguous: 0 });
    expect(await frozenMember.beat(REPORT)).to.equal(null);
    const work = (await other.claim(OUT, [ROUTE], 100)).find(({ delivery }) => delivery.id === id);
    if (work === undefined) throw new TypeError('it was not taken over');
    expect(await frozen.writeEditions([edition(work)])).to.deep.equal([false]);
    expect(await frozen.settle([settlement(work, DELIVERED)], nothing)).to.deep.equal([{ kind: 'fenced' }]);
    expect(await other.settle([settlement(work, DELIVERED)], nothing)).to.have.nested.property(
      '[0].kind',
      'settled',
    );
    await member.leave();
  });

  it('waits for the store until it takes writes, or until told to stop', async () => {
    const store = await open();
    await store.ready(new AbortController().signal);
    const stopping = new AbortController();
    stopping.abort();
    expect(await codeOf(store.ready(stopping.signal))).to.equal('store-unavailable');
  });

  it('finds messages whose promised deliveries are not all there', async () => {
    const store = await open();
    const [kept, whole] = await store.keep(
      [1, 2].map((n) => arrival(`{"ledger":${n}}`, { booking: `LEDGER-${n}` })),
      oneDelivery(),
    );
    await database.query(
      `update hisbridge.message set kept_at = kept_at - interval '1 minute' where id = any($1)`,
      [[kept?.id, whole?.id]],
    );
    expect(await store.ledgerDifferences()).to.deep.equal([]);
    await database.query('delete from hisbridge.delivery where message_id = $1', [kept?.id]);
    expect(await store.ledgerDifferences()).to.deep.equal([kept?.id]);
  });

  it('lives on when the connection of its upkeep breaks in the middle of a day', async () => {
    const store = await open();
    const [day] = await database.query<{ name: string }>(
      `select 'hisbridge.edition_' || to_char(now() at time zone 'utc' + interval '14 days', 'YYYYMMDD') as name`,
    );
    await database.query(`drop table ${day?.name}`);
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin; lock table hisbridge.edition in access exclusive mode');
    const upkeep = codeOf(store.maintain());
    // Whoever makes a day waits for that lock, and is ended while it does.
    await until(async () => {
      const ended = await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'hisbridge read' and datname = current_database() and wait_event_type = 'Lock'`,
      );
      return ended.length > 0;
    });
    expect(await upkeep).to.equal('store-unavailable');
    await other.query('rollback');
    await other.end();
    await store.maintain();
    const made = await database.query(`select to_regclass($1) is not null as made`, [day?.name]);
    expect(made).to.deep.equal([{ made: true }]);
  });
});
