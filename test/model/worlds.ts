import { type Clock, SystemClock } from '../../engine/clock.ts';
import type { ChannelName, DeliveryId, EditionId } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import type { Records } from '../../engine/records.ts';
import { plainSeal } from '../../engine/seal.ts';
import { MemoryStore, MemoryTables } from '../../engine/store/memory.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { INSTANCE_LOCKS } from '../../engine/store/postgres/presence.ts';
import { openPostgresStore, type PostgresStore } from '../../engine/store/postgres/store.ts';
import type { Membership, Store } from '../../engine/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { ManualClock } from '../support/clock.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { digest } from '../support/store-conformance.ts';

/** An open delivery as the tables have it. */
export interface Row {
  readonly id: DeliveryId;
  readonly state: string;
  readonly head: boolean;
  readonly owner: string | null;
  readonly tries: number;
  readonly ambiguous: boolean;
}

export interface EditionRow {
  readonly id: EditionId;
  readonly key: string;
  readonly body: Uint8Array;
}

/** One set of tables with stores over it, and a look into it past the stores. */
export interface World {
  /** The clock of the stores. */
  readonly clock: Clock;
  open(): Promise<Store>;
  /** Ends a store as the end of its process would. */
  crash(store: Store): Promise<void>;
  /** The open deliveries to a channel, in the order they were kept. */
  deliveries(channel: ChannelName): Promise<readonly Row[]>;
  /** All editions of a delivery that are on disk. */
  editions(delivery: DeliveryId): Promise<readonly EditionRow[]>;
  /** Lets so much time pass for everyone. */
  pass(ms: number): Promise<void>;
  /** Resolves once the others could see that an instance whose process has ended is gone. */
  gone(instance: string): Promise<void>;
  /** Breaks what holds the lock of an instance, and resolves once it is held again and the instance knows. */
  breakLock(instance: Membership): Promise<void>;
  /** Takes all open deliveries away, so that nothing of a run is left for the next. */
  clear(): Promise<void>;
  /** Takes all instances away too. */
  sweep(): Promise<void>;
  /** What a person decides; null where the tables have no office for it. */
  readonly person: Pick<Records, 'replay' | 'notTaken'> | null;
  close(): Promise<void>;
}

/** Tables in memory, and a clock that stands still until `pass`. */
export async function memoryWorld(): Promise<World> {
  const clock = new ManualClock();
  const tables = new MemoryTables(clock, systemRandom);
  return {
    clock,
    open: async () => new MemoryStore(tables),
    crash: (store) => store.close(),
    deliveries: async (channel) => tables.inOrder().filter((row) => row.channel === channel),
    editions: async (id) => [...tables.editions.values()].filter(({ delivery }) => delivery === id),
    pass: (ms) => clock.pass(ms),
    gone: () => Promise.resolve(),
    breakLock: () => Promise.resolve(),
    clear: async () => tables.open.clear(),
    sweep: async () => {
      tables.open.clear();
      tables.instances.clear();
    },
    person: null,
    close: () => Promise.resolve(),
  };
}

/** Tables in PostgreSQL, and what the stores over them had to say. */
export interface PostgresWorld extends World {
  readonly database: TestDatabase;
  readonly events: readonly EngineEvent[];
  open(): Promise<PostgresStore>;
}

/** What a server says of the life of others holds from three seconds after its start on. */
const REGROUPED = `select pg_postmaster_start_time() < clock_timestamp() - interval '3.5 seconds' as yes`;

/** The process of the server that holds the lock of an instance. */
const HOLDER = `select l.pid from pg_locks l join hisbridge.instance i on l.objid = i.slot::oid
  where l.locktype = 'advisory' and l.classid = $1::oid and l.granted and i.id = $2::uuid
    and l.database = (select oid from pg_database where datname = current_database())`;

export async function postgresWorld(database: TestDatabase): Promise<PostgresWorld> {
  await migrate(database.url);
  while (!(await database.query<{ yes: boolean }>(REGROUPED))[0]?.yes);
  const stores: PostgresStore[] = [];
  const events: EngineEvent[] = [];
  const open = async () => {
    const store = await openPostgresStore({
      url: database.url,
      seal: plainSeal,
      digest,
      clock: new SystemClock(),
      random: systemRandom,
      telemetry: { emit: (event) => events.push(event) },
    });
    stores.push(store);
    return store;
  };
  const office = await open();
  // A refused decision ends with its connection, and a claim passes over what the server has not let go yet.
  const afterRefusal = async (id: DeliveryId, thrown: unknown): Promise<never> => {
    await database.query('select 1 from hisbridge.delivery where id = $1 for update', [id]);
    throw thrown;
  };
  const holderOf = async (instance: string): Promise<number | null> =>
    (await database.query<{ pid: number }>(HOLDER, [INSTANCE_LOCKS, instance]))[0]?.pid ?? null;
  return {
    database,
    events,
    clock: new SystemClock(),
    open,
    crash: (store) => store.close(),
    deliveries: (channel) =>
      database.query(
        'select id, state, head, owner, tries, ambiguous from hisbridge.delivery where channel = $1 order by seq',
        [channel],
      ),
    editions: async (id) => {
      const rows = await database.query<{ id: EditionId; key: string; body: Buffer }>(
        'select id, key, body from hisbridge.edition where delivery_id = $1',
        [id],
      );
      return rows.map((row) => ({ ...row, body: plainSeal.open(row.id, row.body) }));
    },
    // Only beats have an age here that anyone asks for.
    pass: async (ms) => {
      await database.query(`update hisbridge.instance set beat = beat - make_interval(secs => $1::float8)`, [
        ms / 1_000,
      ]);
    },
    gone: async (instance) => {
      while ((await holderOf(instance)) !== null);
    },
    breakLock: async (instance) => {
      const before = await holderOf(instance.id);
      await database.query('select pg_terminate_backend($1)', [before]);
      let now = before;
      while (now === null || now === before || !instance.holds()) now = await holderOf(instance.id);
    },
    clear: async () => {
      await database.query('delete from hisbridge.delivery');
    },
    sweep: async () => {
      await database.query('delete from hisbridge.delivery');
      await database.query('delete from hisbridge.instance');
    },
    person: {
      replay: (id, how) => office.records.replay(id, how).catch((thrown) => afterRefusal(id, thrown)),
      notTaken: (id, how) => office.records.notTaken(id, how).catch((thrown) => afterRefusal(id, thrown)),
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    },
  };
}
