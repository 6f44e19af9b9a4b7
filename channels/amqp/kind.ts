import type { ChannelKind } from '../../engine/channel.ts';
import { AmqpInbound } from './inbound.ts';
import {
  type AmqpInboundOptions,
  type AmqpOutboundOptions,
  ENVELOPE_SCHEMA,
  INBOUND_SCHEMA,
  OUTBOUND_SCHEMA,
} from './options.ts';
import { AmqpOutbound } from './outbound.ts';

/** RabbitMQ: how messages come from Dawy and how events go to it. */
export const amqp: ChannelKind = {
  kind: 'amqp',
  summary: 'Consumes a queue of RabbitMQ, or publishes to one of its exchanges.',
  inbound: {
    options: INBOUND_SCHEMA,
    create: (name, options: AmqpInboundOptions, context) => new AmqpInbound(name, options, context),
  },
  outbound: {
    options: OUTBOUND_SCHEMA,
    envelope: ENVELOPE_SCHEMA,
    verdicts: { confirmed: 'taken' },
    // The message id is the key of the edition, the same every time: whoever consumes knows a repeat by it.
    repeats: 'recognized',
    create: (name, options: AmqpOutboundOptions, context) => new AmqpOutbound(name, options, context),
  },
};
