import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { BridgeError } from '../../engine/errors.ts';
import { type Child, startChild } from '../launcher/child.ts';
import { portFor } from '../launcher/ports.ts';
import { secretsOf } from '../launcher/secrets.ts';
import { amqpReady } from './amqp-ready.ts';
import { found } from './on-path.ts';
import type { Log, WatchedServer } from './server.ts';

/** A RabbitMQ that can be started. */
export interface RabbitPrograms {
  /** Its data has a folder of that name: two versions never share one. */
  readonly id: string;
  readonly server: string;
  /** Put before the PATH: where `erl` and `epmd` are. */
  readonly path: readonly string[];
  /** Where its shared libraries are, when the system does not have them. */
  readonly libraries: readonly string[];
  readonly what: string;
}

const USER = 'hisbridge';
const START_WITHIN_MS = 90_000;

/** A private RabbitMQ node: everything it writes in a folder below `folder/rabbitmq`, everything it listens on at 127.0.0.1. */
export class PrivateRabbit implements WatchedServer {
  readonly url: string;
  readonly #home: string;
  readonly #folder: string;
  readonly #programs: RabbitPrograms;
  readonly #ports: Ports;
  readonly #log: Log;
  #names: Child | null = null;
  #server: Child | null = null;

  private constructor(folder: string, programs: RabbitPrograms, ports: Ports, log: Log) {
    const { rabbitPassword } = secretsOf(folder);
    this.url = `amqp://${USER}:${rabbitPassword}@127.0.0.1:${ports.amqp}`;
    this.#home = join(folder, 'rabbitmq', programs.id);
    this.#folder = folder;
    this.#programs = programs;
    this.#ports = ports;
    this.#log = log;
    mkdirSync(join(this.#home, 'home'), { recursive: true });
    configure(this.#home, ports, rabbitPassword);
  }

  static async prepare(folder: string, programs: RabbitPrograms, log: Log): Promise<PrivateRabbit> {
    const ports = {
      amqp: await portFor(folder, 'rabbitmq'),
      distribution: await portFor(folder, 'rabbitmq-distribution'),
      names: await portFor(folder, 'rabbitmq-epmd'),
    };
    return new PrivateRabbit(folder, programs, ports, log);
  }

  async start(): Promise<void> {
    this.#log(`RabbitMQ: booting ${this.#programs.what}`);
    await this.#startNames();
    const server = this.#spawn('RabbitMQ', this.#programs.server, []);
    this.#server = server;
    try {
      await amqpReady(this.url, START_WITHIN_MS, () => diedOf(server));
    } catch (error) {
      await this.kill();
      const { message } = BridgeError.from(error, 'broker-unavailable', 'RabbitMQ');
      const words = readFileSync(this.#logFile(), 'utf8').trimEnd().split('\n').slice(-8).join('\n');
      throw new BridgeError('broker-unavailable', `RabbitMQ did not start: ${message}\n${words}`);
    }
  }

  async stop(): Promise<void> {
    // Where its starter alone was killed the node still runs behind it, and is reached by its group.
    if (this.#server !== null && diedOf(this.#server) !== null) await this.#server.kill();
    await this.#server?.stop(30_000);
    this.#server = null;
    await this.#names?.stop(2_000);
    this.#names = null;
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#server = null;
    await this.#names?.kill();
    this.#names = null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  ended(): Promise<string> | null {
    return this.#server?.ended.then(({ how }) => how) ?? null;
  }

  // Erlang's port mapper, private too. Started here because a node of RabbitMQ would start it on every interface, for good.
  async #startNames(): Promise<void> {
    const { names } = this.#ports;
    const epmd =
      [...this.#programs.path.map((folder) => join(folder, 'epmd')), found('epmd') ?? 'epmd'][0] ?? 'epmd';
    const child = this.#spawn('epmd', epmd, [
      '-port',
      `${names}`,
      '-address',
      '127.0.0.1',
      '-relaxed_command_check',
    ]);
    this.#names = child;
    while (!(await listens(names))) {
      const reason = diedOf(child);
      if (reason !== null) throw new BridgeError('broker-unavailable', `epmd of Erlang: ${reason}`);
      await delay(20);
    }
  }

  #spawn(name: string, command: string, args: readonly string[]): Child {
    const env = environment(this.#home, this.#programs, this.#ports);
    return startChild({ name, command, args, env, folder: this.#folder, logFile: this.#logFile() });
  }

  #logFile(): string {
    return join(this.#folder, 'rabbitmq.log');
  }
}

interface Ports {
  readonly amqp: number;
  readonly distribution: number;
  readonly names: number;
}

function configure(home: string, { amqp }: Ports, password: string): void {
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${amqp}`,
    `default_user = ${USER}`,
    `default_pass = ${password}`,
    'log.console = false',
    'log.file.level = warning',
  ];
  writeFileSync(join(home, 'rabbitmq.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(join(home, 'enabled_plugins'), '[].\n');
}

function environment(home: string, { path, libraries, server }: RabbitPrograms, ports: Ports) {
  return {
    HOME: join(home, 'home'),
    PATH: [...path, dirname(server), process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter),
    LD_LIBRARY_PATH:
      libraries.length === 0 ? (process.env['LD_LIBRARY_PATH'] ?? null) : libraries.join(delimiter),
    // The name of the node stays while ports may change: its data is kept under that name.
    RABBITMQ_NODENAME: 'hisbridge@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${ports.amqp}`,
    RABBITMQ_DIST_PORT: `${ports.distribution}`,
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_PID_FILE: join(home, 'pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(home, 'none.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: `${ports.names}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}

function diedOf(child: Child): string | null {
  const how = child.howEnded();
  return how === null ? null : `it ended with ${how}`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
