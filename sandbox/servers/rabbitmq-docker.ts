import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

import { BridgeError } from '../../engine/errors.ts';
import { type Child, runChild, startChild } from '../launcher/child.ts';
import { portFor } from '../launcher/ports.ts';
import { secretsOf } from '../launcher/secrets.ts';
import { amqpReady } from './amqp-ready.ts';
import { found } from './on-path.ts';
import type { Log, WatchedServer } from './server.ts';

const IMAGE = 'rabbitmq:4';
const USER = 'hisbridge';
// The image may have to come over the network first.
const START_WITHIN_MS = 300_000;

/** RabbitMQ in a container, its data in a volume of the same name. */
export class DockerRabbit implements WatchedServer {
  readonly url: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #port: number;
  readonly #password: string;
  readonly #log: Log;
  #child: Child | null = null;

  private constructor(folder: string, port: number, log: Log) {
    this.#folder = folder;
    this.#name = `hisbridge-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
    this.#port = port;
    this.#password = secretsOf(folder).rabbitPassword;
    this.#log = log;
    this.url = `amqp://${USER}:${this.#password}@127.0.0.1:${port}`;
  }

  /** Throws `broker-unavailable` when there is no Docker, or no daemon behind it. */
  static async prepare(folder: string, log: Log): Promise<DockerRabbit> {
    if (found('docker') === null)
      throw new BridgeError('broker-unavailable', 'there is no docker on the PATH');
    const { status } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      timeout: 5_000,
    });
    if (status !== 0)
      throw new BridgeError('broker-unavailable', 'there is a docker command, but no daemon answers it');
    return new DockerRabbit(folder, await portFor(folder, 'rabbitmq'), log);
  }

  async start(): Promise<void> {
    this.#log(`RabbitMQ: starting ${IMAGE} in Docker (the image is fetched the first time)`);
    await this.#docker(['rm', '--force', this.#name]);
    const run = ['run', '--rm', '--name', this.#name, '--hostname', 'hisbridge'];
    const access = [
      '--publish',
      `127.0.0.1:${this.#port}:5672`,
      '--volume',
      `${this.#name}:/var/lib/rabbitmq`,
    ];
    // By name only: the value comes from the environment, where a list of processes does not show it.
    const user = ['--env', 'RABBITMQ_DEFAULT_USER', '--env', 'RABBITMQ_DEFAULT_PASS'];
    const child = startChild({
      name: 'RabbitMQ',
      command: 'docker',
      args: [...run, ...access, ...user, IMAGE],
      env: { RABBITMQ_DEFAULT_USER: USER, RABBITMQ_DEFAULT_PASS: this.#password },
      folder: this.#folder,
      logFile: `${this.#folder}/rabbitmq.log`,
    });
    this.#child = child;
    await amqpReady(this.url, START_WITHIN_MS, () => {
      const how = child.howEnded();
      return how === null ? null : `docker run ended with ${how}: see rabbitmq.log`;
    });
  }

  async stop(): Promise<void> {
    if (this.#child === null || this.#child.howEnded() !== null) return;
    await this.#docker(['stop', '--time', '20', this.#name]);
    await this.#child.stop(10_000);
    this.#child = null;
  }

  async kill(): Promise<void> {
    if (this.#child === null) return;
    await this.#docker(['kill', this.#name]);
    await this.#child.kill();
    this.#child = null;
  }

  async restart(): Promise<void> {
    // One that has ended is gone with its container: there is nothing to stop, and start() clears what is left.
    if (this.#child?.howEnded() === null) await this.stop();
    await this.start();
  }

  ended(): Promise<string> | null {
    return this.#child?.ended.then(({ how }) => how) ?? null;
  }

  #docker(args: readonly string[]): Promise<string> {
    return runChild({ name: `docker ${args[0]}`, command: 'docker', args, folder: this.#folder });
  }
}
