import type { AmqpInboundOptions, AmqpOutboundOptions, ExchangeType } from './options.ts';

/** What one channel of kind amqp asks of the broker. */
export type AmqpChannel =
  | { readonly direction: 'inbound'; readonly options: Pick<AmqpInboundOptions, 'queue' | 'bind'> }
  | {
      readonly direction: 'outbound';
      readonly options: Pick<AmqpOutboundOptions, 'exchange' | 'exchangeType'>;
    };

export interface DesiredQueue {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
}

export interface Binding {
  readonly queue: string;
  readonly exchange: string;
  readonly key: string;
}

/** Everything a plan needs of one broker. */
export interface Topology {
  readonly queues: readonly DesiredQueue[];
  /** Exchanges we publish to: ours to declare. */
  readonly exchanges: readonly { readonly name: string; readonly type: ExchangeType }[];
  /** Exchanges others publish to: checked, never declared. */
  readonly foreign: readonly string[];
  readonly bindings: readonly Binding[];
}

/** How often a message may take its consumer down before the broker sets it aside. */
export const DELIVERY_LIMIT = 20;
// RabbitMQ 4 drops after 20 deliveries where nothing is said, and 3.10 cannot say "never".
const NO_DELIVERY_LIMIT = 1_000_000_000;

/** The queue that gets what the broker gave up on. */
export function deadLetterQueue(queue: string): string {
  return `${queue}.dlq`;
}

/** What the channels together need of the broker they share. The same thing twice is one thing. */
export function planTopology(channels: readonly AmqpChannel[]): Topology {
  const queues = new Map<string, DesiredQueue>();
  const exchanges = new Map<string, ExchangeType>();
  const bindings = new Map<string, Binding>();
  for (const channel of channels) {
    if (channel.direction === 'outbound') {
      exchanges.set(channel.options.exchange, channel.options.exchangeType);
      continue;
    }
    const { queue, bind } = channel.options;
    for (const desired of queuesOf(queue)) queues.set(desired.name, desired);
    for (const key of bind?.keys ?? []) {
      const binding = { queue, exchange: bind?.exchange ?? '', key };
      bindings.set(JSON.stringify(binding), binding);
    }
  }
  const sources = new Set([...bindings.values()].map(({ exchange }) => exchange));
  return {
    queues: [...queues.values()],
    exchanges: [...exchanges].map(([name, type]) => ({ name, type })),
    foreign: [...sources].filter((name) => !exchanges.has(name)),
    bindings: [...bindings.values()],
  };
}

/**
 * By arguments, not policies: to declare it again is to verify it, without any plugin. The order of the queue is
 * the order of keeping, so it has one consumer; what leaves it for the dead-letter queue is not lost on the way.
 */
function queuesOf(queue: string): readonly DesiredQueue[] {
  return [
    {
      name: deadLetterQueue(queue),
      arguments: {
        'x-queue-type': 'quorum',
        'x-single-active-consumer': true,
        'x-delivery-limit': NO_DELIVERY_LIMIT,
      },
    },
    {
      name: queue,
      arguments: {
        'x-queue-type': 'quorum',
        'x-single-active-consumer': true,
        'x-delivery-limit': DELIVERY_LIMIT,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': deadLetterQueue(queue),
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    },
  ];
}
