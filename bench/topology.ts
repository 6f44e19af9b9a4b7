import type { ChannelModel } from 'amqplib';
import { type AmqpChannel, applyTopology, planTopology } from '../channels/amqp/topology.ts';
import { loadPlan, problemsOf } from '../engine/bridge.ts';
import { BridgeError } from '../engine/errors.ts';

/** What the routes of a folder need of the broker. */
export interface Needed {
  declare(broker: ChannelModel, url: string): Promise<void>;
  remove(broker: ChannelModel, queues: readonly string[]): Promise<void>;
}

/** Throws with every problem of a folder that does not compile. */
export function topologyOf(root: string, env: Readonly<Record<string, string>>): Needed {
  const loaded = loadPlan(root, env);
  if (loaded.compiled.kind === 'problems')
    throw new BridgeError('config-invalid', problemsOf(loaded).join('\n'));
  const { inbound, outbound } = loaded.compiled.plan;
  // The compiler checked the options against the kind's own schema.
  const channels = [
    ...[...inbound.values()].map((channel) => ({ ...channel, direction: 'inbound' })),
    ...[...outbound.values()].map((channel) => ({ ...channel, direction: 'outbound' })),
  ].filter(({ kind }) => kind === 'amqp') as unknown as readonly AmqpChannel[];
  const topology = planTopology(channels);
  return {
    async declare(broker, url) {
      const channel = await broker.createChannel();
      for (const name of topology.foreign) await channel.assertExchange(name, 'topic', { durable: true });
      await channel.close();
      await applyTopology(url, topology, { settleMs: 0 });
    },
    async remove(broker, queues) {
      const channel = await broker.createChannel();
      for (const name of [...topology.queues.map((queue) => queue.name), ...queues])
        await channel.deleteQueue(name);
      for (const name of [...topology.foreign, ...topology.exchanges.map((exchange) => exchange.name)])
        await channel.deleteExchange(name);
      await channel.close();
    },
  };
}
