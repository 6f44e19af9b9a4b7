import { expect } from 'chai';
import { type MessageId, newId } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import type { PostgresStore } from '../../engine/store/postgres/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { type CutProxy, cutProxy } from '../support/cut-proxy.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { codeOf, openTestStore } from '../support/postgres-store.ts';
import { until } from '../support/rabbitmq.ts';
import { arrival, OUT, oneDelivery, ROUTE } from '../support/store-conformance.ts';

const REPORT = { plan: 'plan-1', honours: 1, graceMs: 1_000 };
const DAY_MS = 86_400_000;

describe('a store whose server goes away', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let proxy: CutProxy;
  let store: PostgresStore;
  const events: EngineEvent[] = [];

  before(async () => {
    database = await testDatabase();
    await migrate(database.url);
  });
  after(() => database.drop());

  beforeEach(async () => {
    events.length = 0;
    proxy = await cutProxy(database.url);
    store = await openTestStore(proxy.url, events);
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  const messages = async () =>
    (await database.query<{ count: number }>('select count(*)::int4 from hisbridge.message'))[0]?.count;

  it('takes nothing while it is away, says so to everybody, and goes on when it is back', async () => {
    const member = await store.join();
    await member.beat(REPORT);
    await store.savePlan('plan-1', new Map());
    proxy.goAway();
    expect(
      await Promise.all(
        [
          store.keep([arrival('{"away":1}')], oneDelivery()),
          store.claim(OUT, [ROUTE], 1),
          store.owned(),
          store.savePlan('plan-2', new Map()),
          store.bookingsToWake(['placed'], 1),
          member.beat(REPORT),
        ].map(codeOf),
      ),
    ).to.deep.equal(Array(6).fill('store-unavailable'));
    proxy.serve();
    await store.ready(new AbortController().signal);
    await until(() => member.holds());
    expect((await member.beat(REPORT))?.living).to.deep.equal([member.id]);
    expect(await store.keep([arrival('{"away":2}')], oneDelivery())).to.have.nested.property(
      '[0].kind',
      'accepted',
    );
    await member.leave();
  });

  it('is ready once it takes writes again', async () => {
    proxy.goAway();
    let ready = false;
    const waiting = store.ready(new AbortController().signal).then(() => {
      ready = true;
    });
    await until(() => proxy.refusals > 1);
    expect(ready).to.equal(false);
    proxy.serve();
    await waiting;
  });

  it('keeps its place among the living when it finds the server again', async () => {
    const member = await store.join();
    proxy.goAway();
    await until(() => !member.holds());
    await until(() => proxy.refusals > 1);
    expect(member.holds()).to.equal(false);
    proxy.serve();
    await until(() => member.holds());
    expect((await member.beat(REPORT))?.living).to.deep.equal([member.id]);
    await member.leave();
  });

  it('leaves with an error when nobody can be told, and is not among the living any more', async () => {
    const member = await store.join();
    proxy.goAway();
    expect(await codeOf(member.leave())).to.equal('store-unavailable');
    expect(member.holds()).to.equal(false);
    const other = await openTestStore(database.url);
    const next = await other.join();
    await until(async () => (await next.beat(REPORT))?.living.length === 1);
    await next.leave();
    await other.close();
  });

  it('looks a COMMIT without a reply up until the server is back, and finds it', async () => {
    await store.keep([arrival('{"warm":1}')], oneDelivery());
    const before = await messages();
    proxy.arm('after-commit', true);
    const keeping = store.keep([arrival('{"unknown":1}')], oneDelivery());
    await until(() => proxy.refusals > 1);
    expect(events.filter(({ kind }) => kind === 'commit-unknown')).to.deep.equal([]);
    proxy.serve();
    expect(await keeping).to.have.nested.property('[0].kind', 'accepted');
    expect(await messages()).to.equal((before ?? 0) + 1);
    expect(events.filter(({ kind }) => kind === 'commit-unknown')).to.deep.equal([
      { kind: 'commit-unknown', what: 'keep', found: true },
    ]);
  });

  it('never takes an unknown COMMIT for a failed one: what comes again is a repeat', async () => {
    const impatient = await openTestStore(proxy.url, events, 0);
    const asked = arrival('{"unknown":2}', { id: 'unknown-2' });
    await impatient.keep([arrival('{"warm":2}')], oneDelivery());
    proxy.arm('after-commit', true);
    expect(await codeOf(impatient.keep([asked], oneDelivery()))).to.equal('store-unavailable');
    proxy.serve();
    const again = arrival('{"unknown":2}', { id: 'unknown-2' });
    expect(await impatient.keep([again], oneDelivery())).to.deep.equal([
      { kind: 'duplicate', id: asked.message.id },
    ]);
    await impatient.close();
  });

  it('answers a repeat though the connection breaks when there is nothing to write', async () => {
    const asked = arrival('{"repeat":1}', { id: 'repeat-1' });
    await store.keep([asked], oneDelivery());
    const again = () => store.keep([arrival('{"repeat":1}', { id: 'repeat-1' })], oneDelivery());
    proxy.breakAt('rollback');
    expect(await again()).to.deep.equal([{ kind: 'duplicate', id: asked.message.id }]);
    expect(await again()).to.deep.equal([{ kind: 'duplicate', id: asked.message.id }]);
  });

  it('keeps what cannot be decided as refused, though the connection breaks meanwhile', async () => {
    await store.keep([arrival('{"warm":3}')], oneDelivery());
    const undecidable = () => {
      proxy.breakAt('rollback');
      throw new RangeError('no decision');
    };
    const [kept] = await store.keep([arrival('{"undecidable":1}')], undecidable);
    expect(kept).to.include({ kind: 'refused' });
    expect(kept?.kind === 'refused' ? kept.error.code : '').to.equal('store-rejected');
  });

  it('keeps nothing for a day that it cannot make the places of, and everything once it can', async () => {
    const far = { now: () => new Date(Date.now() + 60 * DAY_MS) } as Parameters<typeof newId>[0];
    const late = () => {
      const one = arrival('{"far":1}', { id: 'far-1' });
      return [{ ...one, message: { ...one.message, id: newId<MessageId>(far, systemRandom) } }];
    };
    await store.keep([arrival('{"warm":4}')], oneDelivery());
    const before = await messages();
    proxy.refuse();
    expect(await codeOf(store.keep(late(), oneDelivery()))).to.equal('store-unavailable');
    expect(await messages()).to.equal(before);
    proxy.serve();
    expect(await store.keep(late(), oneDelivery())).to.have.nested.property('[0].kind', 'accepted');
  });

  it('tells the instances what it can, and the polls of the others find the rest', async () => {
    const other = await openTestStore(database.url);
    const woken: string[] = [];
    const listener = await other.join();
    listener.onWake((channels) => woken.push(...channels));
    // One that is no instance, such as the command line: it tells over a connection for reading.
    proxy.goAway();
    store.wake([OUT]);
    await until(() => proxy.refusals > 0);
    proxy.serve();
    await store.ready(new AbortController().signal);
    expect(woken).to.deep.equal([]);
    store.wake([OUT]);
    await until(() => woken.length > 0);

    // One that is: it tells over the connection that shows that it lives, and has it again when that breaks.
    const member = await store.join();
    await member.beat(REPORT);
    proxy.breakAt('pg_notify');
    store.wake([OUT]);
    await until(() => !member.holds());
    await until(() => member.holds());
    woken.length = 0;
    store.wake([OUT]);
    await until(() => woken.length > 0);
    await member.leave();
    await listener.leave();
    await other.close();
  });
});
