import { existsSync } from 'node:fs';

import { BridgeError } from '../../engine/errors.ts';
import { amqpReady } from './amqp-ready.ts';
import { givenServer } from './given.ts';
import { found } from './on-path.ts';
import { DockerRabbit } from './rabbitmq-docker.ts';
import { PrivateRabbit, type RabbitPrograms } from './rabbitmq-node.ts';
import { unpackedRabbit } from './rabbitmq-packages.ts';
import type { Log, WatchedServer } from './server.ts';

interface Way {
  readonly name: string;
  start(folder: string, log: Log): Promise<WatchedServer>;
}

/** How a RabbitMQ can be had, tried in this order. The packages come before Docker: they are faster, and leave nothing outside. */
const WAYS: readonly Way[] = [
  {
    name: 'rabbitmq-server on the PATH',
    start: (folder, log) => startNode(folder, installedRabbit(), log),
  },
  {
    name: "Debian's packages, unpacked",
    start: async (folder, log) => startNode(folder, await unpackedRabbit(folder, log), log),
  },
  {
    name: 'Docker',
    async start(folder, log) {
      const docker = await DockerRabbit.prepare(folder, log);
      await docker.start();
      return docker;
    },
  },
];

/** RabbitMQ for the sandbox in `folder`: the one of AMQP_URL, else a private one, had in the first way that works here. */
export async function startRabbit(folder: string, log: Log): Promise<WatchedServer> {
  const given = process.env['AMQP_URL'];
  if (given) {
    await amqpReady(given, 10_000, () => null);
    return givenServer(given, 'AMQP_URL');
  }
  const failures: string[] = [];
  for (const { name, start } of WAYS) {
    try {
      return await start(folder, log);
    } catch (error) {
      failures.push(`- ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new BridgeError(
    'broker-unavailable',
    [
      'No RabbitMQ could be started. Tried:',
      ...failures,
      'Correct one of these, or start a RabbitMQ yourself and set AMQP_URL=amqp://user:password@host:5672.',
    ].join('\n'),
  );
}

async function startNode(folder: string, programs: RabbitPrograms, log: Log): Promise<WatchedServer> {
  const node = await PrivateRabbit.prepare(folder, programs, log);
  await node.start();
  return node;
}

// Debian's program on the PATH insists on the user rabbitmq; the one behind it runs as whoever starts it.
function installedRabbit(): RabbitPrograms {
  const behind = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  const server = existsSync(behind) ? behind : found('rabbitmq-server');
  if (server === null) throw new BridgeError('broker-unavailable', 'it is not there');
  return { id: 'installed', server, path: [], libraries: [], what: 'the RabbitMQ of this machine' };
}
