import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChannelModel, connect } from 'amqplib';
import pg from 'pg';
import { migrate } from '../engine/store/postgres/migrate.ts';
import { CHECKOUT } from '../sandbox/environment.ts';
import { killProcessesOf } from '../sandbox/launcher/processes.ts';
import { startPostgres } from '../sandbox/servers/postgres.ts';
import { startRabbit } from '../sandbox/servers/rabbitmq.ts';
import type { WatchedServer } from '../sandbox/servers/server.ts';
import { topologyOf } from './topology.ts';

/** The folder of the bench's own routes.yaml. */
export const NETWORK = fileURLToPath(new URL('network', import.meta.url));
const TEMPLATE = 'bench_template';
const DIGEST_KEY = 'a key of the bench, never used elsewhere';

/** What one round has to itself: a migrated database that nobody has written to, and names on the broker. */
export interface Ground {
  readonly database: pg.Client;
  readonly events: string;
  readonly bookings: string;
  readonly heard: string;
  /** What an engine or the floor needs to work here, but the address of the hospital. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** The machine and the versions a result belongs to. */
export type Circumstances = Readonly<Record<string, string | number>>;

/** A private PostgreSQL and RabbitMQ in a temporary folder, both as the sandbox starts them. */
export class Place {
  readonly folder: string;
  readonly #stops: (() => Promise<void>)[];
  readonly #databaseUrl: string;
  readonly #brokerUrl: string;
  readonly #broker: ChannelModel;
  readonly #owner: pg.Client;
  #grounds = 0;

  private constructor(parts: {
    readonly folder: string;
    readonly stops: (() => Promise<void>)[];
    readonly databaseUrl: string;
    readonly brokerUrl: string;
    readonly broker: ChannelModel;
    readonly owner: pg.Client;
  }) {
    this.folder = parts.folder;
    this.#stops = parts.stops;
    this.#databaseUrl = parts.databaseUrl;
    this.#brokerUrl = parts.brokerUrl;
    this.#broker = parts.broker;
    this.#owner = parts.owner;
  }

  /**
   * Starts both servers, never those of somebody else. Whatever happens, nothing of it outlives this process.
   * With `statements` PostgreSQL counts what each statement costs, which costs something itself.
   */
  static async open({ statements = false } = {}): Promise<Place> {
    const folder = mkdtempSync(join(tmpdir(), `hisbridge-bench-${process.pid}-`));
    // PostgreSQL runs as another user when we are root, and must be able to go through.
    chmodSync(folder, 0o711);
    process.on('exit', () => {
      killProcessesOf(folder);
      // What was killed may still be writing for a moment.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => process.exit(130));
    delete process.env['DATABASE_URL'];
    delete process.env['AMQP_URL'];
    const [database, broker] = await Promise.all([
      startPostgres(folder, () => undefined),
      startRabbit(folder, () => undefined),
    ]);
    if (statements) await countStatements(database);
    return Place.at(folder, database.url, broker.url, [() => database.stop(), () => broker.stop()]);
  }

  /** Works on servers that run already. */
  static async at(
    folder: string,
    databaseUrl: string,
    brokerUrl: string,
    stops: (() => Promise<void>)[] = [],
  ): Promise<Place> {
    const owner = new pg.Client({ connectionString: databaseUrl, application_name: 'bench' });
    // What breaks a connection is reported by the calls that are awaited.
    owner.on('error', () => undefined);
    await owner.connect();
    const template = `${TEMPLATE}_${process.pid}`;
    await owner.query(`create database ${template}`);
    await migrate(within(databaseUrl, template));
    const broker = await connect(brokerUrl);
    broker.on('error', () => undefined);
    stops.unshift(async () => {
      await broker.close();
      await owner.query(`drop database if exists ${template}`);
      await owner.end();
    });
    return new Place({ folder, stops, databaseUrl, brokerUrl, broker, owner });
  }

  /** A connection past all grounds, to ask what the server as a whole knows. */
  get owner(): pg.Client {
    return this.#owner;
  }

  get brokerUrl(): string {
    return this.#brokerUrl;
  }

  async ground(): Promise<Ground> {
    this.#grounds += 1;
    const name = `bench_${process.pid}_${this.#grounds}`;
    await this.#owner.query(`create database ${name} template ${TEMPLATE}_${process.pid}`);
    const url = within(this.#databaseUrl, name);
    const database = new pg.Client({ connectionString: url, application_name: 'bench' });
    database.on('error', () => undefined);
    await database.connect();
    const [queue, bookings, events, heard] = ['queue', 'bookings', 'events', 'heard'].map(
      (one) => `${name}.${one}`,
    ) as [string, string, string, string];
    const env = {
      DATABASE_URL: url,
      AMQP_URL: this.#brokerUrl,
      HISBRIDGE_DIGEST_KEY: DIGEST_KEY,
      BENCH_QUEUE: queue,
      BENCH_BOOKINGS: bookings,
      BENCH_EVENTS: events,
    };
    const topology = topologyOf(NETWORK, { ...env, RIVERSIDE_URL: 'http://127.0.0.1:1' });
    await topology.declare(this.#broker, this.#brokerUrl);
    const channel = await this.#broker.createChannel();
    await channel.assertQueue(heard, { durable: true });
    await channel.bindQueue(heard, events, '#');
    await channel.close();
    return {
      database,
      events,
      bookings,
      heard,
      env,
      remove: async () => {
        await database.end();
        await topology.remove(this.#broker, [heard]);
        await this.#owner.query(`drop database ${name} with (force)`);
      },
    };
  }

  /** What the figures depend on and a reader must know. */
  async circumstances(): Promise<Circumstances> {
    const { rows } = await this.#owner.query<{ server_version: string }>('show server_version');
    const properties = this.#broker.connection.serverProperties as unknown as { readonly version?: string };
    return {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      loadAtStart: Number(loadavg()[0]?.toFixed(2)),
      node: process.version,
      postgres: rows[0]?.server_version ?? 'unknown',
      rabbitmq: String(properties.version ?? 'unknown'),
      commit: commit(),
    };
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }
}

/** What is measured; its own results make it no other thing. */
function commit(): string {
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/results');
  return `${git('rev-parse', '--short=12', 'HEAD')}${changed === '' ? '' : '-dirty'}`;
}

async function countStatements(server: WatchedServer): Promise<void> {
  const run = async (text: string) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(text).finally(() => client.end());
  };
  await run(`alter system set shared_preload_libraries = 'pg_stat_statements'`);
  await server.restart();
  await run('create extension pg_stat_statements');
}

function within(url: string, database: string): string {
  const own = new URL(url);
  own.pathname = `/${database}`;
  return own.href;
}

function git(...args: readonly string[]): string {
  try {
    return execFileSync('git', args, { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  } catch {
    // No checkout, or no git: then there is no commit to name.
    return 'unknown';
  }
}
