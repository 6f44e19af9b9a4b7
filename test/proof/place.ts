import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Addresses, World, type WorldOptions } from '../support/world.ts';
import type { EngineProcess } from '../support/world-engine.ts';
import { Link } from './link.ts';

/** What an engine is connected to. */
export type LinkName = 'database' | 'broker' | 'alnoor' | 'stmary';

const ADDRESSES: Readonly<Record<LinkName, keyof Addresses>> = {
  database: 'DATABASE_URL',
  broker: 'AMQP_URL',
  alnoor: 'ALNOOR_URL',
  stmary: 'STMARY_URL',
};

const ENGINE_WITH = fileURLToPath(new URL('../crash/engine-with.ts', import.meta.url));

/** When CANARY plants a mistake, the engines are those in which it can be planted. */
function canary({ engine }: WorldOptions): Pick<WorldOptions, 'engine'> {
  if (process.env['CANARY'] === undefined) return {};
  return { engine: (index) => ({ ...engine?.(index), program: [ENGINE_WITH, '--log-level', 'debug'] }) };
}

/** A world whose engines reach everything over links that can be cut. Dawy and the judge have wires of their own. */
export class Place {
  readonly world: World;
  readonly links: Readonly<Record<LinkName, Link>>;
  readonly #pool: pg.Pool;

  private constructor(world: World, links: Readonly<Record<LinkName, Link>>) {
    this.world = world;
    this.links = links;
    this.#pool = new pg.Pool({ connectionString: world.database.url, max: 4, application_name: 'test' });
    this.#pool.on('error', () => undefined);
  }

  static async open(options: WorldOptions = {}): Promise<Place> {
    const links = {} as Record<LinkName, Link>;
    const through = async (addresses: Addresses) => {
      const own: Partial<Record<keyof Addresses, string>> = {};
      for (const [name, address] of Object.entries(ADDRESSES) as [LinkName, keyof Addresses][]) {
        links[name] = await Link.open(addresses[address]);
        own[address] = links[name].url;
      }
      return own as Addresses;
    };
    try {
      return new Place(await World.open({ ...options, ...canary(options), through }), links);
    } catch (thrown) {
      for (const link of Object.values(links)) await link.close();
      throw thrown;
    }
  }

  /** The first of its engines; most cells need no other. */
  get engine(): EngineProcess {
    return this.world.engines[0]!;
  }

  /** Asks the database past the store and past the link. */
  async ask<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<readonly Row[]> {
    return (await this.#pool.query<Row>(text, values)).rows;
  }

  /** The first column of the first row, as a number. */
  async number(text: string, values: unknown[] = []): Promise<number> {
    const [row = {}] = await this.ask<Record<string, unknown>>(text, values);
    return Number(Object.values(row)[0] ?? 0);
  }

  /** A connection of its own, for what holds locks. */
  async session(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.world.database.url,
      application_name: 'another session',
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    await this.#pool.end();
    await this.world.close();
    for (const link of Object.values(this.links)) await link.close();
  }
}
