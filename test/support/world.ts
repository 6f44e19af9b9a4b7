import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import type { HospitalControl } from '../../sandbox/hospitals/control.ts';
import { hospitalControl } from '../../sandbox/hospitals/control.ts';
import { HOSPITALS, startHospital } from '../../sandbox/launcher/hospitals.ts';
import { killProcessesOf } from '../../sandbox/launcher/processes.ts';
import { check, type Findings, type Named } from '../crash/checker.ts';
import { testBroker } from './rabbitmq.ts';
import { BrokerPlace } from './world-broker.ts';
import { type Database, openDatabase } from './world-database.ts';
import { Dawy } from './world-dawy.ts';
import { EngineProcess, type LogLine } from './world-engine.ts';
import { type BrokerNames, brokerNames, type Edits, topologyOf, writeRoot } from './world-root.ts';

export interface WorldOptions {
  readonly engines?: number;
  /** Changes to the example's routes.yaml. */
  readonly edits?: Edits;
  /** A PostgreSQL of its own, that may be killed. */
  readonly ownDatabase?: boolean;
  /** What the engines get in place of the addresses of PostgreSQL, RabbitMQ and the hospitals: whatever stands between. */
  readonly through?: (addresses: Addresses) => Promise<Partial<Addresses>>;
  /** The program of an engine, when it is not `hisbridge run`, with its environment. */
  readonly engine?: (index: number) => EngineMake;
}

/** How an engine of a world is made. */
export interface EngineMake {
  readonly program?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
}

/** Where an engine finds the world, by the names of its environment. */
export interface Addresses {
  readonly DATABASE_URL: string;
  readonly AMQP_URL: string;
  readonly ALNOOR_URL: string;
  readonly STMARY_URL: string;
}

export type HospitalName = 'alnoor' | 'stmary';

const LOOK_EVERY_MS = 200;
/** Far longer than anything here needs: what moves after that moves for ever. */
const QUIET_WITHIN_MS = 180_000;
const DIGEST_KEY = 'a key of the tests, never used elsewhere';

/** Everything real, and nobody else's: a database, names on the broker, two hospitals, engines, Dawy. */
export class World {
  readonly folder: string;
  readonly root: string;
  readonly dawy: Dawy;
  readonly database: Database;
  readonly engines: EngineProcess[] = [];
  readonly hospitals: Readonly<Record<HospitalName, HospitalControl>>;
  /** What its things are called on the broker. */
  readonly names: BrokerNames;
  /** The broker, past whatever stands before it. */
  readonly brokerUrl: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #closing: (() => Promise<void>)[];

  private constructor(
    parts: Pick<World, 'folder' | 'root' | 'dawy' | 'database' | 'hospitals' | 'names' | 'brokerUrl' | 'env'>,
    closing: (() => Promise<void>)[],
  ) {
    this.folder = parts.folder;
    this.root = parts.root;
    this.dawy = parts.dawy;
    this.database = parts.database;
    this.hospitals = parts.hospitals;
    this.names = parts.names;
    this.brokerUrl = parts.brokerUrl;
    this.env = parts.env;
    this.#closing = closing;
  }

  /** Resolves with the engines made but not started. Leaves nothing behind when it fails. */
  static async open(options: WorldOptions = {}): Promise<World> {
    const closing: (() => Promise<void>)[] = [];
    try {
      return await World.#open(options, closing);
    } catch (thrown) {
      await closeAll(closing);
      throw thrown;
    }
  }

  static async #open(options: WorldOptions, closing: (() => Promise<void>)[]): Promise<World> {
    const folder = worldFolder(closing);
    const database = await openDatabase(folder, options.ownDatabase === true);
    closing.push(() => database.close());
    await migrate(database.url);
    const broker = await testBroker();
    closing.push(() => broker.stop());
    const addresses = { DATABASE_URL: database.url, AMQP_URL: broker.url, ALNOOR_URL: '', STMARY_URL: '' };
    const hospitals = {} as Record<HospitalName, HospitalControl>;
    for (const hospital of HOSPITALS) {
      const { part, name, endpoints } = await startHospital(hospital, folder, () => undefined);
      closing.push(() => part.stop());
      addresses[`${name.toUpperCase()}_URL` as keyof Addresses] = endpoints.address;
      hospitals[name as HospitalName] = hospitalControl(endpoints.control);
    }
    const env = {
      HISBRIDGE_DIGEST_KEY: DIGEST_KEY,
      ...addresses,
      ...(await options.through?.(addresses)),
    };
    const root = join(folder, 'root');
    const names = brokerNames(`world.${randomBytes(5).toString('hex')}`);
    writeRoot(root, names, options.edits ?? []);
    const place = await BrokerPlace.make(broker.url, topologyOf(root, env));
    closing.push(() => place.remove());
    const dawy = await Dawy.open(broker.url, names);
    closing.push(() => dawy.close());
    const parts = { folder, root, dawy, database, hospitals, names, brokerUrl: broker.url, env };
    const world = new World(parts, closing);
    for (let index = 0; index < (options.engines ?? 1); index += 1)
      world.addEngine(options.engine?.(index) ?? {});
    return world;
  }

  /** Makes one more engine, and does not start it. */
  addEngine({ program, env = {}, nodeOptions }: EngineMake = {}): EngineProcess {
    const engine = new EngineProcess({
      name: `engine-${this.engines.length}`,
      root: this.root,
      folder: this.folder,
      env: { ...this.env, ...env },
      ...(program === undefined ? {} : { program }),
      ...(nodeOptions === undefined ? {} : { nodeOptions }),
      onLine: () => undefined,
    });
    this.engines.push(engine);
    this.#closing.push(async () => {
      await engine.kill();
      engine.close();
    });
    return engine;
  }

  /** Starts every engine that does not run. */
  async start(): Promise<void> {
    await Promise.all(this.engines.filter(({ runs }) => !runs).map((engine) => engine.start()));
  }

  /** Ends every misbehaviour of both hospitals. */
  async heal(): Promise<void> {
    await Promise.all(Object.values(this.hospitals).map((hospital) => hospital.heal()));
  }

  /**
   * Resolves once nothing can move any more without a person: every message that was published is kept, and what is
   * open stands still or waits behind what does. Throws when that does not come about.
   */
  async quiet(): Promise<void> {
    const until = performance.now() + QUIET_WITHIN_MS;
    for (let left = await this.#restless(); left > 0; left = await this.#restless()) {
      if (performance.now() > until)
        throw new RangeError(`${left} messages or deliveries never came to rest`);
      await delay(LOOK_EVERY_MS);
    }
  }

  async #restless(): Promise<number> {
    const { kept, moving } = await this.database.standing();
    const published = new Set(this.dawy.published.map(({ messageId }) => messageId)).size;
    // What was delivered to Dawy last may still be on its way out of the broker.
    const told = await this.database.told();
    const heard = new Set(this.dawy.events.map(({ id }) => id)).size;
    return Math.max(0, published - kept) + moving + Math.max(0, told - heard);
  }

  /** Sets what hospitals and Dawy saw against what Dawy asked for. */
  async check(settled: readonly Named[] = []): Promise<Findings> {
    const [alnoor, stmary] = await Promise.all([
      this.hospitals.alnoor.journal(),
      this.hospitals.stmary.journal(),
    ]);
    return check({
      published: this.dawy.published,
      journals: { alnoor, stmary },
      events: this.dawy.events,
      held: await this.database.held(),
      refused: this.dawy.refused(),
      settled,
    });
  }

  /** All that the engines logged under one name. */
  logged(event: string): readonly LogLine[] {
    return this.engines.flatMap(({ lines }) => lines.filter((line) => line.event === event));
  }

  /** Ends everything and leaves nothing. */
  async close(): Promise<void> {
    await closeAll(this.#closing);
  }
}

function worldFolder(closing: (() => Promise<void>)[]): string {
  // The prefix and the number are those by which the next run of the tests ends what a killed one has left.
  const folder = mkdtempSync(join(tmpdir(), `hisbridge-test-${process.pid}-world-`));
  // PostgreSQL runs as another user when we are root, and must be able to go through.
  chmodSync(folder, 0o711);
  mkdirSync(join(folder, 'hospitals'));
  const killAll = () => killProcessesOf(folder);
  process.on('exit', killAll);
  closing.push(async () => {
    process.off('exit', killAll);
    killAll();
    if (process.env['KEEP_WORLDS'] === undefined) rmSync(folder, { recursive: true, force: true });
    else process.stdout.write(`    kept ${folder}\n`);
  });
  return folder;
}

async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closing.splice(0).reverse()) {
    await close().catch((thrown: unknown) => failures.push(thrown));
  }
  if (failures.length > 0) throw failures[0];
}
