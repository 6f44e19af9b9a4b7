import { mkdirSync } from 'node:fs';

import { declareBookings, declareDawyQueue } from '../dawy/broker.ts';
import { type Endpoints, engineEnvironment, type HospitalEndpoints, writeEndpoints } from '../environment.ts';
import { startPostgres } from '../servers/postgres.ts';
import { startRabbit } from '../servers/rabbitmq.ts';
import type { Log } from '../servers/server.ts';
import { hisbridge, startEngine } from './engine.ts';
import { HOSPITALS, startHospital } from './hospitals.ts';
import { KeptServer } from './kept-server.ts';
import { secretsOf } from './secrets.ts';
import type { LoggedEvent } from './trail.ts';

/** In which order things end: first what asks the others. */
type Rank = 'engine' | 'hospital' | 'broker' | 'database';
const ENDING: readonly Rank[] = ['engine', 'hospital', 'broker', 'database'];

/** Something that was started, and how it is ended. */
interface Started {
  readonly rank: Rank;
  readonly name: string;
  stop(): Promise<void>;
}

/** The example network while it runs: PostgreSQL, RabbitMQ, the hospitals, the engine. */
export class Sandbox {
  readonly #folder: string;
  readonly #say: Log;
  readonly #started: Started[] = [];

  constructor(folder: string, say: Log) {
    this.#folder = folder;
    this.#say = say;
  }

  /** Starts everything, in the order in which it needs each other, and writes where it can be reached. */
  async start(onEvent: (event: LoggedEvent) => void): Promise<Endpoints> {
    const folder = this.#folder;
    const { digestKey } = secretsOf(folder);
    const [database, amqp, hospitals] = await all([
      this.#startDatabase(),
      this.#startServer('broker', 'RabbitMQ', startRabbit),
      this.#startHospitals(),
    ]);
    const reached = { database, amqp: amqp.url, hospitals };
    const env = engineEnvironment(reached, digestKey);
    await this.#step('broker topology applied', async () => {
      await declareBookings(amqp.url);
      await hisbridge(folder, env, 'topology', 'apply');
      await declareDawyQueue(amqp.url);
    });
    const { ready } = await this.#timed('engine', 'engine', async () => {
      const engine = await startEngine({ folder, env, say: this.#say, onEvent });
      return { ...engine, stop: () => engine.part.stop() };
    });
    const endpoints = { api: textOf(ready['api']), metrics: textOf(ready['metrics']), ...reached };
    writeEndpoints(folder, endpoints);
    return endpoints;
  }

  /** Ends everything that was started, each after what asks it. */
  async stop(): Promise<void> {
    const started = this.#started.splice(0);
    for (const { name, stop } of ENDING.flatMap((rank) => started.filter((each) => each.rank === rank))) {
      this.#say(`  ending ${name}`);
      await stop();
    }
  }

  // Migrated while RabbitMQ, which takes longest, still boots.
  async #startDatabase(): Promise<string> {
    const { url } = await this.#startServer('database', 'PostgreSQL', startPostgres);
    await this.#step('database migrated', () => hisbridge(this.#folder, { DATABASE_URL: url }, 'migrate'));
    return url;
  }

  #startServer(
    rank: Rank,
    name: 'PostgreSQL' | 'RabbitMQ',
    start: typeof startPostgres,
  ): Promise<KeptServer> {
    const [folder, say] = [this.#folder, this.#say];
    return this.#timed(rank, name, async () => {
      const server = await start(folder, say);
      return new KeptServer({
        name,
        server,
        logFile: `${folder}/${name === 'PostgreSQL' ? 'postgres' : 'rabbitmq'}.log`,
        say,
      });
    });
  }

  async #startHospitals(): Promise<Readonly<Record<string, HospitalEndpoints>>> {
    mkdirSync(`${this.#folder}/hospitals`, { recursive: true });
    const hospitals = await all(
      HOSPITALS.map((hospital) =>
        this.#timed('hospital', `hospital ${hospital.name}`, async () => {
          const started = await startHospital(hospital, this.#folder, this.#say);
          return { ...started, stop: () => started.part.stop() };
        }),
      ),
    );
    return Object.fromEntries(hospitals.map(({ name, endpoints }) => [name, endpoints]));
  }

  async #timed<T extends { stop(): Promise<void> }>(
    rank: Rank,
    name: string,
    start: () => Promise<T>,
  ): Promise<T> {
    const started = await this.#step(`${name} is up`, start);
    this.#started.push({ rank, name, stop: () => started.stop() });
    return started;
  }

  async #step<T>(name: string, act: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const result = await act();
    this.#say(`  ✓ ${name} (${((performance.now() - since) / 1000).toFixed(1)} s)`);
    return result;
  }
}

/** Like Promise.all, but waits for every one before it fails: nothing goes on being started behind a failure's back. */
async function all<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
