import type { ChannelKind, OptionsSchema } from '../channel.ts';
import {
  condition,
  duration,
  either,
  form,
  learn,
  oneOrMany,
  orReference,
  propertiesOf,
  rendering,
  size,
  text,
} from './schema-parts.ts';
import { PROBE_VERDICTS, REPEATS, VERDICTS } from './vocabulary.ts';

type Outbound = NonNullable<ChannelKind['outbound']>;

const SEARCH_WORD = {
  type: 'object',
  additionalProperties: false,
  required: ['at'],
  properties: {
    at: text('Where the word stands.'),
    private: {
      description: 'Kept as a keyed digest and found by its exact value only.',
      type: 'boolean',
      default: false,
    },
  },
};

/** Keys every inbound channel has, whatever its protocol. */
export const INBOUND_KEYS: Readonly<Record<string, OptionsSchema>> = {
  read: {
    description: 'How a message is read: its form, and where its type, id, hospital and booking stand.',
    type: 'object',
    additionalProperties: false,
    required: ['as', 'type'],
    properties: {
      as: form('The form of the body.'),
      type: text('Where the type stands.', '/type', 'amqp.routingKey'),
      schema: text(
        'The JSON Schema of the body; `{type}` stands for the type, and only types with a file are taken.',
        'schemas/dawy/{type}.schema.json',
      ),
      id: text(
        "Where the sender's id stands; without it the hash of the body is the id.",
        'amqp.messageId',
        '/id',
      ),
      hospital: text(
        'Where the name of the hospital stands. Left out: the system of the channel.',
        '/hospital',
      ),
      booking: text('Where the reference of the booking stands: it orders deliveries.', '/booking/reference'),
      learn: learn('What the booking learns from the message.'),
      search: {
        description: 'Words by which people find the message, and where they stand.',
        type: 'object',
        propertyNames: { pattern: '^[a-z][A-Za-z0-9]{0,31}$' },
        additionalProperties: either({ type: 'string' }, text('Where the word stands.'), SEARCH_WORD),
      },
    },
  },
  maxBytes: size('The largest body that is taken; a larger one is kept as refused.', '1MB'),
};

/** Keys every outbound channel has; what its kind needs beside a body, and its defaults, differ. */
export function outboundKeys({
  envelope,
  repeats = 'unsafe',
}: Outbound): Readonly<Record<string, OptionsSchema>> {
  return {
    timeout: duration('How long one send may take, connecting and answering included.', '30s'),
    maxInFlight: {
      description: 'How many sends the far side bears at once, over all engines.',
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 1,
    },
    repeats: {
      description: 'Whether the far side knows a repeat when it sees one; `probe` can be asked instead.',
      enum: REPEATS,
      default: repeats,
    },
    verdicts: {
      description: 'What an answer means for the delivery. What is not listed is wrong.',
      type: 'object',
      additionalProperties: { description: 'What this answer means.', enum: VERDICTS },
    },
    probe: probeSchema(envelope),
  };
}

function probeSchema(envelope: OptionsSchema): OptionsSchema {
  return {
    description: 'How to ask the far side whether an uncertain send was taken.',
    type: 'object',
    additionalProperties: false,
    required: ['settleAfter', 'render', 'says'],
    properties: {
      settleAfter: duration('An `absent` counts only this long after the uncertain send.'),
      render: { ...rendering([envelope]), description: 'The question.' },
      as: form('The form of what comes back. Left out: the form of the template.'),
      says: {
        description: 'What comes back means the first that holds; when none holds it is asked again later.',
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['when', 'verdict'],
          properties: {
            when: condition('What must hold.', {
              asked: oneOrMany('The type of the message that was sent.'),
            }),
            verdict: { description: 'What it then says of the delivery.', enum: PROBE_VERDICTS },
          },
        },
      },
    },
  };
}

/** All keys of an inbound channel of one protocol. */
export function inboundSchema(options: OptionsSchema): OptionsSchema {
  return channelOf(options, INBOUND_KEYS, ['read']);
}

/** All keys of an outbound channel of one protocol. */
export function outboundSchema(outbound: Outbound): OptionsSchema {
  // Whoever says nothing about answers would find each of them wrong.
  return channelOf(
    outbound.options,
    outboundKeys(outbound),
    outbound.verdicts === undefined ? ['verdicts'] : [],
  );
}

function channelOf(
  options: OptionsSchema,
  common: Readonly<Record<string, OptionsSchema>>,
  required: readonly string[],
): OptionsSchema {
  const own = Array.isArray(options['required']) ? options['required'].map(String) : [];
  const properties = Object.entries(propertiesOf(options)).map(([name, schema]) => [
    name,
    permitsReference(schema),
  ]);
  return {
    ...options,
    type: 'object',
    additionalProperties: false,
    required: ['system', 'kind', ...required, ...own],
    properties: { system: true, kind: true, ...common, ...Object.fromEntries(properties) },
  };
}

function permitsReference(schema: OptionsSchema): OptionsSchema {
  const pattern = schema['pattern'];
  return typeof pattern === 'string' ? { ...schema, pattern: orReference(pattern) } : schema;
}
