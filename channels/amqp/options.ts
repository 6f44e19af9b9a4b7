import type { OptionsSchema } from '../../engine/channel.ts';

/** What routes.yaml says about an inbound channel of kind amqp, defaults filled in. */
export interface AmqpInboundOptions {
  readonly queue: string;
  readonly bind?: { readonly exchange: string; readonly keys: readonly string[] };
  readonly prefetch: number;
}

/** What routes.yaml says about an outbound channel of kind amqp, defaults filled in. */
export interface AmqpOutboundOptions {
  readonly exchange: string;
  readonly exchangeType: ExchangeType;
  readonly key: string;
  /** In milliseconds. */
  readonly confirmTimeout: number;
}

export type ExchangeType = 'topic' | 'direct' | 'fanout' | 'headers';

// Two batches of the keeper: one on its way to the store while the next one gathers.
const PREFETCH = 400;
const EXCHANGE_TYPE: ExchangeType = 'topic';
const ROUTING_KEY = '{type}';
const CONFIRM_TIMEOUT = '10s';

const NAME = { type: 'string', minLength: 1, maxLength: 255 };

export const INBOUND_SCHEMA: OptionsSchema = {
  type: 'object',
  required: ['queue'],
  additionalProperties: false,
  properties: {
    queue: {
      ...NAME,
      // The dead-letter queue has the same name and four characters more.
      maxLength: 251,
      description:
        'The queue to consume. `hisbridge topology apply` declares it, and `<queue>.dlq` beside it, as quorum queues.',
    },
    bind: {
      type: 'object',
      required: ['exchange', 'keys'],
      additionalProperties: false,
      description:
        'Where the queue gets its messages from. Left out, somebody else binds it. The exchange belongs to its publisher.',
      properties: {
        exchange: { ...NAME, description: 'The exchange to bind the queue to.' },
        keys: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { type: 'string', maxLength: 255 },
          description: 'The binding keys, one binding each: `booking.#`.',
        },
      },
    },
    prefetch: {
      type: 'integer',
      minimum: 1,
      maximum: 2000,
      default: PREFETCH,
      description: 'How many messages may be under way between the broker and the store.',
    },
  },
};

export const OUTBOUND_SCHEMA: OptionsSchema = {
  type: 'object',
  required: ['exchange'],
  additionalProperties: false,
  properties: {
    exchange: {
      ...NAME,
      description: 'The exchange to publish to. It is ours: `hisbridge topology apply` declares it.',
    },
    exchangeType: {
      enum: ['topic', 'direct', 'fanout', 'headers'],
      default: EXCHANGE_TYPE,
      description: 'The type the exchange is declared with.',
    },
    key: {
      type: 'string',
      maxLength: 255,
      default: ROUTING_KEY,
      description: 'The routing key. `{type}` stands for the type of the message.',
    },
    confirmTimeout: {
      type: 'string',
      format: 'duration',
      default: CONFIRM_TIMEOUT,
      description: 'How long to wait for the confirm of the broker. After it the same id is published again.',
    },
  },
};

/** A route says nothing beside the template. */
export const ENVELOPE_SCHEMA: OptionsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {},
  description: 'Nothing: the type of the message makes the routing key.',
};
