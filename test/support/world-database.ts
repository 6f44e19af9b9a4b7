import pg from 'pg';
import { startPostgres } from '../../sandbox/servers/postgres.ts';
import type { Named } from '../crash/evidence.ts';
import { testDatabase } from './postgres.ts';

/** A delivery that stands before a person. */
export interface Stopped {
  readonly id: string;
  readonly state: 'held' | 'dead';
  readonly channel: string;
  readonly reference: string;
  readonly type: string;
  readonly error: string;
  readonly edition: string;
  readonly key: string | null;
}

/** The database of one world, asked past the store: what is on disk is what counts. */
export interface Database {
  readonly url: string;
  /** Messages of Dawy that were kept, each id once, and deliveries that still move by themselves. */
  standing(): Promise<{ readonly kept: number; readonly moving: number }>;
  /** Events that were delivered to Dawy. */
  told(): Promise<number>;
  /** Requests that are held, or wait behind one that is. */
  held(): Promise<readonly Named[]>;
  stopped(): Promise<readonly Stopped[]>;
  /** Messages that do not have every delivery that was promised at keeping. */
  ledgerDifferences(): Promise<number>;
  deadlocks(): Promise<number>;
  count(table: string): Promise<number>;
  /** Messages an inbound channel brought. */
  keptFrom(channel: string): Promise<number>;
  /** When the first message of a type was received, by the clock of who kept it. */
  firstReceived(type: string): Promise<Date>;
  /** Deliveries of a channel that ended. */
  answered(channel: string): Promise<number>;
  /** Ends every connection of the engines, as a restart would. */
  cutConnections(): Promise<void>;
  /** Kills the server and starts it again. Only when it is its own. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

interface Place {
  readonly url: string;
  crash(): Promise<void>;
  drop(): Promise<void>;
}

/** Opens a database of its own: on the tests' server, or on a server of its own, that may be killed. */
export async function openDatabase(folder: string, own: boolean): Promise<Database> {
  const place = own ? await ownServer(folder) : await sharedServer();
  const pool = new pg.Pool({ connectionString: place.url, max: 2, application_name: 'test' });
  pool.on('error', () => undefined);
  const number = async (text: string): Promise<number> => {
    const { rows } = await pool.query<{ n: string }>(text);
    return Number(rows[0]?.n);
  };
  return {
    url: place.url,
    async standing() {
      const { rows } = await pool.query<{ kept: string; moving: string }>(STANDING);
      return { kept: Number(rows[0]?.kept), moving: Number(rows[0]?.moving) };
    },
    told: () => number(TOLD),
    held: async () => (await pool.query<Named>(HELD)).rows,
    stopped: async () => (await pool.query<Stopped>(STOPPED)).rows,
    ledgerDifferences: () => number(LEDGER),
    deadlocks: () => number('select deadlocks as n from pg_stat_database where datname = current_database()'),
    count: (table) => number(`select count(*) as n from hisbridge.${table}`),
    keptFrom: (channel) => number(`select count(*) as n from hisbridge.message where channel = '${channel}'`),
    async firstReceived(type) {
      const { rows } = await pool.query<{ at: Date }>(FIRST_RECEIVED, [type]);
      return rows[0]!.at;
    },
    answered: (channel) =>
      number(`select count(*) as n from hisbridge.delivery_ended where channel = '${channel}'`),
    async cutConnections() {
      await pool.query(CUT);
    },
    crash: () => place.crash(),
    async close() {
      await pool.end();
      await place.drop();
    },
  };
}

const STANDING = `
  select (select count(*) from (
      select distinct k.value from hisbridge.message_key k where k.name = 'id') ids) as kept,
    (select count(*) from hisbridge.delivery d
      where d.state in ('queued', 'running')
        or (d.state = 'waiting' and not exists (
          select 1 from hisbridge.delivery h
           where h.channel = d.channel and h.lane = d.lane and h.head and h.state in ('held', 'dead')))) as moving`;

const FIRST_RECEIVED = `select min(received_at) as at from hisbridge.message where type = $1`;

const TOLD = `select count(*) as n from hisbridge.delivery_ended where channel = 'dawy-out' and ended_as = 'delivered'`;

const HELD = `
  select m.booking as reference, m.type
    from hisbridge.delivery d join hisbridge.message m on m.id = d.message_id
   where d.channel <> 'dawy-out' and (d.state = 'held' or (d.state = 'waiting' and exists (
     select 1 from hisbridge.delivery h
      where h.channel = d.channel and h.lane = d.lane and h.head and h.state = 'held')))`;

const STOPPED = `
  select d.id, d.state, d.channel, m.booking as reference, m.type, d.error, d.edition, e.key
    from hisbridge.delivery d join hisbridge.message m on m.id = d.message_id
    left join hisbridge.edition e on e.id = d.edition
   where d.state in ('held', 'dead') order by d.seq`;

const LEDGER = `
  select count(*) as n from hisbridge.message m
   where m.promised <> (select count(*) from hisbridge.delivery d where d.message_id = m.id)
     + (select count(*) from hisbridge.delivery_ended e where e.message_id = m.id)`;

const CUT = `
  select pg_terminate_backend(pid) from pg_stat_activity
   where datname = current_database() and application_name like 'hisbridge %'`;

async function sharedServer(): Promise<Place> {
  const { url, drop } = await testDatabase();
  return { url, drop, crash: () => Promise.reject(new RangeError('the server is shared')) };
}

async function ownServer(folder: string): Promise<Place> {
  const server = await startPostgres(folder, () => undefined);
  return {
    url: server.url,
    drop: () => server.stop(),
    async crash() {
      await server.kill();
      await server.restart();
    },
  };
}
