import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { applyTopology, planTopology } from '../../channels/amqp/topology.ts';
import { type Bridge, type Environment, loadPlan, migrateStore, openBridge } from '../../engine/bridge.ts';
import { plainSeal } from '../../engine/seal.ts';
import { Log, toAll } from '../../engine/telemetry/log.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { type DawyMessage, type Slot, slotAt, type Wish } from '../../sandbox/dawy/messages.ts';
import { endHospital, type Running, startHospital } from '../sandbox/hospitals/running.ts';
import { type HeardEvent, heardEvent, problemsWith } from './events.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';
import { testBroker, testConnection, unique, until } from './rabbitmq.ts';

/** What an engine says of an arrival, whatever it did with it. */
const TAKEN = new Set<EngineEvent['kind']>(['message-kept', 'message-duplicate', 'message-refused']);
/** What an engine never says while nothing is killed. */
const NEVER = new Set<EngineEvent['kind']>([
  'defect',
  'orphans-released',
  'batch-retried',
  'settle-fenced',
  'ledger-differs',
]);
const ROOT = resolve(import.meta.dirname, '../..');

export interface NetworkOptions {
  /** Changes routes.yaml before it is first read. */
  readonly routes?: (text: string) => string;
  /** What stands between the engine and a hospital, by the address of the hospital. */
  readonly between?: Partial<Record<'alnoor' | 'stmary', (address: string) => Promise<string>>>;
}

/** How a message is published; what is left out is as Dawy does it. */
export interface Publishing {
  /** Null leaves it out. */
  readonly messageId?: string | null;
  readonly key?: string;
  readonly options?: Options.Publish;
}

/**
 * The example network on a real broker and a real database, for one test file: a copy of the configuration that
 * may be edited, both hospitals as processes, any number of engines in this process, and Dawy at both ends.
 */
export class TestNetwork {
  readonly folder: string;
  readonly database: TestDatabase;
  readonly alnoor: Running;
  readonly stmary: Running;
  readonly env: Environment;
  /** Everything the engines said, and the same as lines of a log. */
  readonly events: EngineEvent[] = [];
  readonly log: string[] = [];
  /** Everything Dawy heard, in its order. */
  readonly heard: HeardEvent[] = [];
  readonly #broker: { readonly connection: ChannelModel; readonly channel: ConfirmChannel };
  readonly #names: { readonly exchange: string; readonly queue: string; readonly events: string };
  readonly #stopBroker: () => Promise<void>;
  readonly #running = new Set<Bridge>();
  #wishes = 0;
  #published = 0;

  /** Brings the network up without an engine. */
  static async open({ routes = (text) => text, between = {} }: NetworkOptions = {}): Promise<TestNetwork> {
    const [database, broker, alnoor, stmary] = await Promise.all([
      testDatabase(),
      testBroker(),
      startHospital('rest'),
      startHospital('soap'),
    ]);
    const names = {
      exchange: unique('dawy.bookings'),
      queue: unique('hisbridge.bookings'),
      events: unique('his.events'),
    };
    const folder = copyOfConfiguration(names, routes);
    const env = {
      DATABASE_URL: database.url,
      AMQP_URL: broker.url,
      ALNOOR_URL: (await between.alnoor?.(alnoor.address)) ?? alnoor.address,
      STMARY_URL: (await between.stmary?.(stmary.address)) ?? stmary.address,
      HISBRIDGE_DIGEST_KEY: 'a secret of the tests, long enough to be one',
      HISBRIDGE_UNSAFE: '1',
    };
    await migrateStore(env);
    const connection = await testConnection(broker.url);
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange(names.exchange, 'topic', { durable: true });
    await applyTopology(broker.url, topologyOf(folder, env), { settleMs: 0 });
    const parts = { folder, database, alnoor, stmary, env, names, connection, channel };
    const network = new TestNetwork(parts, () => broker.stop());
    await network.#listen();
    return network;
  }

  private constructor(
    { folder, database, alnoor, stmary, env, names, connection, channel }: Parts,
    stopBroker: () => Promise<void>,
  ) {
    this.folder = folder;
    this.database = database;
    this.alnoor = alnoor;
    this.stmary = stmary;
    this.env = env;
    this.#names = names;
    this.#broker = { connection, channel };
    this.#stopBroker = stopBroker;
  }

  /** Starts an engine, the only one or one more. */
  async start(events: EngineEvent[] = []): Promise<Bridge> {
    const telemetry = toAll(new Log('debug', (line) => this.log.push(line)), {
      emit: (event) => {
        this.events.push(event);
        events.push(event);
      },
    });
    const bridge = await openBridge({ root: this.folder, env: this.env, telemetry });
    this.#running.add(bridge);
    return bridge;
  }

  /** Ends an engine in order. */
  async stop(bridge: Bridge): Promise<void> {
    this.#running.delete(bridge);
    await bridge.stop();
  }

  /** Ends everything and leaves nothing behind. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((bridge) => this.stop(bridge)));
    const { channel, connection } = this.#broker;
    await channel.deleteQueue(this.#names.queue);
    await channel.deleteQueue(`${this.#names.queue}.dlq`);
    await channel.deleteExchange(this.#names.exchange);
    await channel.deleteExchange(this.#names.events);
    await connection.close();
    await Promise.all([endHospital(this.alnoor), endHospital(this.stmary), this.database.drop()]);
    await this.#stopBroker();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A booking nobody else asks for: a reference and a slot of its own. */
  wish(hospital: 'alnoor' | 'stmary', change: Partial<Wish> = {}): Wish {
    this.#wishes += 1;
    return {
      reference: `BK-${this.#wishes}`,
      hospital,
      slot: this.slot(this.#wishes),
      doctor: 'DR-881',
      patient: {
        id: '0012345',
        name: 'Layla Example',
        birthDate: '1990-04-01',
        phone: '+966500000001',
      },
      ...change,
    };
  }

  /** The half hour number so much, weeks from now. */
  slot(number: number): Slot {
    return slotAt(new Date(), 21 + Math.floor(number / 20), number % 20);
  }

  /** Publishes as Dawy does, and resolves once the broker has it. Bytes and text go as they are. */
  async publish(body: DawyMessage | object | string | Buffer, publishing: Publishing = {}): Promise<void> {
    const { id, type } =
      typeof body === 'object' && !Buffer.isBuffer(body) ? (body as Partial<DawyMessage>) : {};
    const { messageId = id ?? unique('id'), key = type ?? 'booking.requested', options = {} } = publishing;
    const text = Buffer.isBuffer(body) ? body : typeof body === 'string' ? body : JSON.stringify(body);
    const properties = { persistent: true, mandatory: true, contentType: 'application/json', ...options };
    this.#broker.channel.publish(this.#names.exchange, key, Buffer.from(text), {
      ...properties,
      ...(messageId === null ? {} : { messageId }),
    });
    await this.#broker.channel.waitForConfirms();
    this.#published += 1;
  }

  /** Puts a message where the broker puts what it has given up, as if it had come by Dawy's exchange. */
  async strand(message: DawyMessage): Promise<void> {
    const { channel } = this.#broker;
    const properties = { persistent: true, messageId: message.id };
    channel.sendToQueue(`${this.#names.queue}.dlq`, Buffer.from(JSON.stringify(message)), properties);
    await channel.waitForConfirms();
    this.#published += 1;
  }

  /** The types of what Dawy heard of a booking, in order. */
  typesOf(reference: string): readonly string[] {
    return this.heard.filter(({ subject }) => subject === reference).map(({ type }) => type);
  }

  /** Resolves with the event once Dawy has heard it: the one of that type about that booking, or the `nth`, from 1. */
  async told(reference: string, type: string, nth = 1): Promise<HeardEvent> {
    const found = () =>
      this.heard.filter((event) => event.subject === reference && event.type === type)[nth - 1];
    await until(() => found() !== undefined);
    return found()!;
  }

  /** Resolves with the refusal Dawy heard of the message it sent under that id. */
  async refused(messageId: string): Promise<HeardEvent> {
    const found = () => this.heard.find(({ data }) => data.refused?.messageId === messageId);
    await until(() => found() !== undefined);
    return found()!;
  }

  /** Resolves once all that was published is taken in, and all of it is delivered, or stands before a person. */
  async quiet(): Promise<void> {
    const taken = ({ kind, ...event }: EngineEvent) =>
      TAKEN.has(kind) && 'channel' in event && event.channel === 'dawy-in';
    await until(async () => {
      if (this.events.filter(taken).length < this.#published) return false;
      const open = await this.database.query(
        `select 1 from hisbridge.delivery d where state in ('queued', 'running')
         or state = 'waiting' and not exists (select 1 from hisbridge.delivery h
           where h.channel = d.channel and h.lane = d.lane and h.head and h.state in ('held', 'dead')) limit 1`,
      );
      return open.length === 0;
    });
  }

  /** The messages from outside that are found by a word, in the order they were kept. */
  async kept(name: string, value: string): Promise<readonly KeptMessage[]> {
    const rows = await this.database.query<{
      id: string;
      state: string;
      body: Buffer;
      refusal: Buffer | null;
    }>(
      `select m.id, m.state, m.body, m.refusal from hisbridge.message m join hisbridge.message_key k on k.message_id = m.id
       where k.name = $1 and k.value = $2 and m.cause is null order by m.id`,
      [name, value],
    );
    return rows.map(({ id, state, body, refusal }) => ({
      id,
      state,
      body: plainSeal.open(id, body).toString('utf8'),
      refusal: refusal === null ? null : plainSeal.open(id, refusal).toString('utf8'),
    }));
  }

  /** Writes a file of the configuration anew. */
  edit(file: string, change: (text: string) => string): void {
    const path = join(this.folder, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }

  /** What must never be, whatever a test did: each in words. */
  async faults(): Promise<readonly string[]> {
    const differing = await this.database.query<{ id: string }>(
      `select m.id from hisbridge.message m where m.promised <>
         (select count(*) from hisbridge.delivery d where d.message_id = m.id)
       + (select count(*) from hisbridge.delivery_ended e where e.message_id = m.id)`,
    );
    const defects = this.events.filter(({ kind }) => NEVER.has(kind));
    const ids = this.heard.map(({ id }) => id);
    return [
      ...differing.map(({ id }) => `message ${id} does not have the deliveries it was promised`),
      ...defects.map((event) => JSON.stringify(event)),
      ...this.heard.flatMap((event) => problemsWith(event)),
      ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `Dawy heard ${id} twice`),
    ];
  }

  async #listen(): Promise<void> {
    const { channel } = this.#broker;
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, this.#names.events, '#');
    await channel.consume(queue, (message) => message !== null && this.heard.push(heardEvent(message)), {
      noAck: true,
    });
  }
}

/** A message as the database has it. */
export interface KeptMessage {
  readonly id: string;
  readonly state: string;
  readonly body: string;
  /** Why it was refused, as it is kept. */
  readonly refusal: string | null;
}

interface Parts {
  readonly folder: string;
  readonly database: TestDatabase;
  readonly alnoor: Running;
  readonly stmary: Running;
  readonly env: Environment;
  readonly names: { readonly exchange: string; readonly queue: string; readonly events: string };
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
}

function copyOfConfiguration(
  { exchange, queue, events }: Parts['names'],
  change: (text: string) => string,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'hisbridge-network-'));
  for (const name of ['transforms', 'schemas']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  const routes = readFileSync(join(ROOT, 'routes.yaml'), 'utf8')
    .replace('hisbridge.bookings', queue)
    .replace('dawy.bookings', exchange)
    .replace('his.events', events);
  writeFileSync(join(folder, 'routes.yaml'), change(routes));
  return folder;
}

function topologyOf(folder: string, env: Environment) {
  const { compiled } = loadPlan(folder, env);
  if (compiled.kind === 'problems') throw new TypeError(JSON.stringify(compiled.problems));
  const { inbound, outbound } = compiled.plan;
  return planTopology([
    ...[...inbound.values()].map(({ options }) => ({
      direction: 'inbound' as const,
      options: options as never,
    })),
    ...[...outbound.values()]
      .filter(({ kind }) => kind === 'amqp')
      .map(({ options }) => ({ direction: 'outbound' as const, options: options as never })),
  ]);
}
