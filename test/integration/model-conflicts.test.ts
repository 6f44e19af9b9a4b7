import { expect } from 'chai';
import pg from 'pg';
import type { Booking } from '../../engine/booking.ts';
import { BridgeError } from '../../engine/errors.ts';
import { lockOf } from '../../engine/lane.ts';
import type { PostgresStore } from '../../engine/store/postgres/store.ts';
import type { Consequences, Keeping, Work } from '../../engine/store.ts';
import { type PostgresWorld, postgresWorld } from '../model/worlds.ts';
import { testDatabase } from '../support/postgres.ts';
import {
  arrival,
  edition,
  freshId,
  OUT,
  oneDelivery,
  ROUTE,
  settlement,
} from '../support/store-conformance.ts';

const DELIVERED = { kind: 'ended', as: 'delivered' } as const;
const nothing = (): Consequences => ({ messages: [], step: null });
/** How often a batch that met another transaction is run. */
const RUNS = 5;

/** The next so many rows of a table meet another transaction, as the server says it. The count goes on whatever is rolled back. */
const MEET = (table: string, state: string, times: number) => `
  create sequence met;
  create function meet() returns trigger language plpgsql as $$
  begin
    if nextval('met') <= ${times} then raise exception 'another transaction' using errcode = '${state}'; end if;
    return new;
  end $$;
  create trigger meet before insert on hisbridge.${table} for each row execute function meet();`;
const MEET_NO_MORE = (table: string) =>
  `drop trigger meet on hisbridge.${table}; drop function meet; drop sequence met;`;

describe('a batch that meets another transaction', function () {
  this.timeout(60_000);
  let world: PostgresWorld;
  let store: PostgresStore;
  let other: PostgresStore;
  const sessions: pg.Client[] = [];

  before(async () => {
    const database = await testDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${name} set deadlock_timeout = '20ms'`);
    world = await postgresWorld(database);
    [store, other] = [await world.open(), await world.open()];
    await store.join();
    await other.join();
  });
  after(() => world.close());
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.end()));
    await world.clear();
  });

  /** Another session, in a transaction, which never looks for a deadlock itself: whoever it meets finds it. */
  async function second(): Promise<pg.Client> {
    const session = new pg.Client({ connectionString: world.database.url, application_name: 'second' });
    sessions.push(session);
    await session.connect();
    await session.query(`set deadlock_timeout = '10min'`);
    await session.query('begin');
    return session;
  }

  /** Resolves once so many sessions of that name wait for a lock. */
  async function waiting(name: string, count: number): Promise<void> {
    const asked = `select count(*)::int4 from pg_stat_activity
      where datname = current_database() and application_name like $1 and wait_event_type = 'Lock'`;
    for (let now = 0; now < count; ) {
      const [row] = await world.database.query<{ count: number }>(asked, [`${name}%`]);
      now = row?.count ?? 0;
    }
  }

  const retried = (since: number) =>
    world.events
      .slice(since)
      .filter((event) => event.kind === 'batch-retried')
      .map((event) => event.reason);
  const count = async (table: string, column: string, ids: readonly string[]): Promise<number> => {
    const asked = `select count(*)::int4 from hisbridge.${table} where ${column}::text = any($1)`;
    return (await world.database.query<{ count: number }>(asked, [ids]))[0]?.count ?? -1;
  };
  const idsOf = (batch: readonly Keeping[]) => batch.map(({ message }) => message.id);
  const errorOf = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (thrown: unknown) => (thrown instanceof BridgeError ? thrown.code : String(thrown)),
    );

  /** Three arrivals, whose lanes are locked in their order. */
  function inOrder(): readonly [Keeping, Keeping, Keeping] {
    const batch = Array.from({ length: 3 }, () => arrival('{}', { booking: freshId<string>() }));
    batch.sort((a, b) => (lockOf(a.lanes[0]!) < lockOf(b.lanes[0]!) ? -1 : 1));
    return [batch[0]!, batch[1]!, batch[2]!];
  }

  /**
   * Makes a ring of which the store closes the last link, so that it is the store that must give way: it holds
   * the first lane and waits for the second; the other session holds the third and waits for the first.
   */
  async function inRing<Result>(
    purpose: string,
    lanes: readonly Keeping[],
    run: () => Promise<Result>,
  ): Promise<Result> {
    const [first, middle, last] = lanes.map(({ lanes: [lane] }) => lockOf(lane!));
    const lock = (session: pg.Client, key: bigint | undefined) =>
      session.query('select pg_advisory_xact_lock($1)', [String(key)]);
    const [between, against] = [await second(), await second()];
    await lock(between, middle);
    await lock(against, last);
    const running = run();
    await waiting(`hisbridge ${purpose}`, 1);
    const turning = lock(against, first);
    await waiting('second', 1);
    await between.query('commit');
    await turning;
    await against.query('commit');
    return running;
  }

  it('is kept once, after the server ended its first run as one of a ring', async () => {
    const batch = inOrder();
    const since = world.events.length;
    const kept = await inRing('keep', batch, () => store.keep(batch, oneDelivery({ hot: true })));
    expect(kept.map(({ kind }) => kind)).to.deep.equal(['accepted', 'accepted', 'accepted']);
    expect(retried(since)).to.deep.equal(['again']);
    expect(await count('message', 'id', idsOf(batch))).to.equal(3);
    expect(await count('delivery', 'message_id', idsOf(batch))).to.equal(3);
    expect(kept.every((one) => one.kind === 'accepted' && one.running.size === 1)).to.equal(true);
  });

  it('is settled once, after the server ended its first run as one of a ring', async () => {
    const batch = inOrder();
    await store.keep(batch, oneDelivery());
    const works = await store.claim(OUT, [ROUTE], 3);
    const settlements = works.map((work) => settlement(work, DELIVERED));
    const since = world.events.length;
    const settled = await inRing('settle', batch, () => store.settle(settlements, nothing));
    expect(settled.map(({ kind }) => kind)).to.deep.equal(['settled', 'settled', 'settled']);
    expect(retried(since)).to.deep.equal(['again']);
    expect(await count('delivery_ended', 'message_id', idsOf(batch))).to.equal(3);
    expect(
      await count(
        'attempt',
        'id',
        settlements.map(({ attempt }) => attempt.id),
      ),
    ).to.equal(3);
  });

  it('finds the repeat of what another transaction kept meanwhile', async () => {
    const [keeping] = inOrder();
    const first = freshId<string>();
    const session = await second();
    await session.query(
      `insert into hisbridge.dedupe (channel, key, message_id, digest, expires_at)
       values ($1, $2, $3, $4, now() + interval '1 day')`,
      [keeping.message.channel, keeping.dedupe, first, keeping.bodyDigest],
    );
    const since = world.events.length;
    const keepingIt = store.keep([keeping], oneDelivery());
    await waiting('hisbridge keep', 1);
    await session.query('commit');
    expect(await keepingIt).to.deep.equal([{ kind: 'duplicate', id: first }]);
    expect(retried(since)).to.deep.equal(['again']);
    expect(await count('message', 'id', [keeping.message.id])).to.equal(0);
  });

  it('steps a booking on from what another transaction made of it meanwhile', async () => {
    const [keeping] = inOrder();
    const session = await second();
    await session.query(
      `insert into hisbridge.booking (reference, hospital, state, context, version)
       values ($1, 'riverside', 'placed', '\\x007b7d', 7)`,
      [keeping.booking],
    );
    const seen: (number | null)[] = [];
    const keepingIt = store.keep([keeping], (one, booking) => {
      seen.push(booking?.version ?? null);
      return { ...oneDelivery()(one), step: stepTo('confirmed', one, booking, {}) };
    });
    await waiting('hisbridge keep', 1);
    await session.query('commit');
    expect((await keepingIt).map(({ kind }) => kind)).to.deep.equal(['accepted']);
    expect(seen).to.deep.equal([null, 7]);
    const steps = await world.database.query(
      'select version::int4, before, after from hisbridge.booking_step where reference = $1',
      [keeping.booking],
    );
    expect(steps).to.deep.equal([{ version: 8, before: 'placed', after: 'confirmed' }]);
  });

  it('waits for nobody in a ring when two batches call their bookings the same in another order', async () => {
    const batchOf = (names: readonly string[]) => {
      const base = freshId<string>();
      return names.map((name, at) => ({ name, keeping: arrival('{}', { booking: `${base}-${at}` }) }));
    };
    // Bookings are written in the order of their references, which is the order here.
    const [one, two] = [batchOf(['a', 'b1', 'c']), batchOf(['c', 'b2', 'a'])];
    const run = freshId<string>();
    const session = await second();
    await session.query(
      `insert into hisbridge.booking_ref (system, kind, value, reference)
       select 'riverside', 'hospitalRef', $1 || n, '-' from unnest(array['b1', 'b2']) n`,
      [run],
    );
    const keep = (by: PostgresStore, batch: typeof one) =>
      by.keep(
        batch.map(({ keeping }) => keeping),
        (keeping, booking) => {
          const { name } = batch.find((row) => row.keeping.message.id === keeping.message.id)!;
          const step = stepTo('placed', keeping, booking, { hospitalRef: run + name });
          return { ...oneDelivery()(keeping), step };
        },
      );
    const since = world.events.length;
    const keepingOne = keep(store, one);
    await waiting('hisbridge keep', 1);
    const keepingTwo = keep(other, two);
    await waiting('hisbridge keep', 2);
    await session.query('rollback');
    const kept = (await Promise.all([keepingOne, keepingTwo])).flat();
    expect(kept.map(({ kind }) => kind)).to.deep.equal(Array.from({ length: 6 }, () => 'accepted'));
    expect(retried(since)).to.deep.equal([]);
  });

  for (const state of ['40001', '40P01']) {
    describe(`that the server ends with ${state}`, () => {
      it(`is kept at the ${RUNS}th run, once`, async () => {
        const batch = inOrder();
        const since = world.events.length;
        const kept = await meeting('message', state, RUNS - 1, () => store.keep(batch, oneDelivery()));
        expect(kept.map(({ kind }) => kind)).to.deep.equal(['accepted', 'accepted', 'accepted']);
        expect(retried(since)).to.deep.equal(Array.from({ length: RUNS - 1 }, () => 'again'));
        expect(await count('message', 'id', idsOf(batch))).to.equal(3);
      });

      it('is kept row by row when it meets others more often than that', async () => {
        const batch = inOrder();
        const kept = await meeting('message', state, RUNS, () => store.keep(batch, oneDelivery()));
        expect(kept.map(({ kind }) => kind)).to.deep.equal(['accepted', 'accepted', 'accepted']);
        expect(await count('message', 'id', idsOf(batch))).to.equal(3);
      });

      it('says that the store is unavailable when it never gets through, and has left nothing', async () => {
        const [keeping] = inOrder();
        const never = () => errorOf(store.keep([keeping], oneDelivery()));
        const error = await meeting('message', state, 1_000, never);
        expect(error).to.equal('store-unavailable');
        expect(await count('message', 'id', [keeping.message.id])).to.equal(0);
        expect(await count('delivery', 'message_id', [keeping.message.id])).to.equal(0);
        const [kept] = await store.keep([keeping], oneDelivery());
        expect(kept?.kind).to.equal('accepted');
      });

      it(`is settled at the ${RUNS}th run, once, and hands the next over`, async () => {
        const { work, next } = await twoInALane();
        const of = settlement(work, DELIVERED);
        const settling = () => store.settle([of], nothing);
        const [settled] = await meeting('attempt', state, RUNS - 1, settling);
        expect(settled?.kind === 'settled' && settled.promoted?.delivery.message).to.equal(next);
        expect(await count('attempt', 'id', [of.attempt.id])).to.equal(1);
        expect(await count('delivery_ended', 'id', [work.delivery.id])).to.equal(1);
      });

      it(`has its edition on disk at the ${RUNS}th run, with the bytes of the first`, async () => {
        const { work } = await twoInALane();
        const written = await meeting('edition', state, RUNS - 1, () => store.writeEditions([edition(work)]));
        expect(written).to.deep.equal([true]);
        const [row] = await world.editions(work.delivery.id);
        expect(Buffer.from(row?.body ?? []).toString()).to.equal('rendered');
      });
    });
  }

  /** Runs something of which so many writes to a table meet another transaction. */
  async function meeting<Result>(
    table: string,
    state: string,
    times: number,
    run: () => Promise<Result>,
  ): Promise<Result> {
    await world.database.query(MEET(table, state, times));
    try {
      return await run();
    } finally {
      await world.database.query(MEET_NO_MORE(table));
    }
  }

  async function twoInALane(): Promise<{ readonly work: Work; readonly next: string }> {
    const booking = freshId<string>();
    const batch = [arrival('{}', { booking }), arrival('{}', { booking })];
    await store.keep(batch, oneDelivery());
    const [work] = await store.claim(OUT, [ROUTE], 1);
    return { work: work!, next: batch[1]!.message.id };
  }
});

function stepTo(
  state: string,
  keeping: Keeping,
  booking: Booking | null,
  context: Booking['context'],
): Consequences['step'] {
  const { message } = keeping;
  return {
    before: booking?.state ?? null,
    after: {
      reference: keeping.booking ?? '-',
      hospital: message.hospital,
      state,
      context,
      version: (booking?.version ?? 0) + 1,
      wakeAt: null,
    },
    input: {
      kind: 'report',
      type: 'booking.placed',
      learnt: {},
      asked: null,
      messageId: message.id,
      at: message.receivedAt,
    },
  };
}
