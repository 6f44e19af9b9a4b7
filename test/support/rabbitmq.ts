import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import type { AmqpOutboundOptions } from '../../channels/amqp/options.ts';
import { type AmqpChannel, applyTopology, planTopology } from '../../channels/amqp/topology.ts';
import type { ChannelContext } from '../../engine/channel.ts';
import { SystemClock } from '../../engine/clock.ts';
import type { SystemName } from '../../engine/message.ts';
import { givenServer } from '../../sandbox/servers/given.ts';
import { startRabbit } from '../../sandbox/servers/rabbitmq.ts';
import type { RunningServer } from '../../sandbox/servers/server.ts';

/**
 * A broker for tests: the one of TEST_AMQP_URL, which cannot be killed, else a private one in a temporary folder.
 * `stop` ends a private one and leaves nothing behind.
 */
export async function testBroker(): Promise<RunningServer> {
  const given = process.env['TEST_AMQP_URL'];
  return given ? givenServer(given, 'TEST_AMQP_URL') : killableBroker();
}

/** A private broker that nobody else uses, whatever TEST_AMQP_URL says: a test may kill it. */
export async function killableBroker(): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hisbridge-rabbitmq-'));
  const server = await startRabbit(folder, () => undefined);
  return {
    url: server.url,
    kill: () => server.kill(),
    restart: () => server.restart(),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A connection for the test's own questions; its errors are the test's own too. */
export async function testConnection(url: string): Promise<ChannelModel> {
  const connection = await connect(url);
  connection.on('error', () => undefined);
  return connection;
}

/** Declares Dawy's exchange as Dawy would, then everything the channels need, and lets it settle. */
export async function prepare(url: string, channels: readonly AmqpChannel[], settleMs = 0): Promise<void> {
  const topology = planTopology(channels);
  const connection = await testConnection(url);
  const channel = await connection.createChannel();
  for (const exchange of topology.foreign) await channel.assertExchange(exchange, 'topic', { durable: true });
  await connection.close();
  await applyTopology(url, topology, { settleMs });
}

/** What routes.yaml gives an outbound channel that says its exchange alone. */
export function outboundOptions(exchange: string): AmqpOutboundOptions {
  return { exchange, exchangeType: 'topic', key: '{type}', confirmTimeout: 10_000 };
}

/** What a channel gets of the world, with a store that is ready unless the test says otherwise. */
export function contextFor(url: string, overrides: Partial<ChannelContext> = {}): ChannelContext {
  return {
    system: 'dawy' as SystemName,
    connections: { amqp: url },
    clock: new SystemClock(),
    report: () => undefined,
    storeReady: () => Promise.resolve(),
    maySend: () => true,
    ...overrides,
  };
}

/** Publishes the bodies in order, as Dawy does: persistent, confirmed, each under an id of its own. */
export async function publishAll(
  url: string,
  exchange: string,
  bodies: readonly string[],
  key = 'booking.requested',
): Promise<void> {
  const connection = await testConnection(url);
  const channel = await connection.createConfirmChannel();
  for (const body of bodies) {
    const messageId = `id-${body}`;
    channel.publish(exchange, key, Buffer.from(body), { persistent: true, messageId, type: key });
  }
  await channel.waitForConfirms();
  await connection.close();
}

/** How many messages wait in the queue, those under way not counted. */
export async function depth(url: string, queue: string): Promise<number> {
  const connection = await testConnection(url);
  try {
    const channel = await connection.createChannel();
    return (await channel.checkQueue(queue)).messageCount;
  } finally {
    await connection.close();
  }
}

/** Resolves once the condition holds; the time limit is that of the test. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const clock = new SystemClock();
  while (!(await condition())) await clock.sleep(20);
}

let count = 0;

/** A name no other test uses, so that tests share a broker. */
export function unique(name: string): string {
  count += 1;
  return `${name}.${process.pid}.${count}.${Date.now().toString(36)}`;
}
