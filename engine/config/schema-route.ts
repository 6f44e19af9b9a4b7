import type { ChannelKind, OptionsSchema } from '../channel.ts';
import { condition, duration, either, form, learn, oneOrMany, rendering, text } from './schema-parts.ts';
import { BOOKING_EVENTS, NO_EVENT } from './vocabulary.ts';

/** One entry of `routes:`. Which envelope keys a template needs depends on the kind of `to`; lint checks that. */
export function routeSchema(kinds: readonly ChannelKind[]): OptionsSchema {
  const envelopes = kinds.flatMap(({ outbound }) => (outbound === undefined ? [] : [outbound.envelope]));
  return {
    type: 'object',
    additionalProperties: false,
    required: ['from', 'render', 'to'],
    properties: {
      from: text('An inbound channel, or `bookings` or `engine`, which are built in.', 'dawy-in', 'bookings'),
      when: condition('Which messages it takes: all of them when left out.', {
        hospital: oneOrMany('The hospital the message is about.'),
        type: oneOrMany('The type of the message.'),
      }),
      lane: text('Where the value stands that orders its deliveries. Left out: the booking.', '/patient/id'),
      render: renderSchema(envelopes),
      to: text('An outbound channel.', 'riverside-out'),
      answer: answerSchema(),
      retry: retrySchema(),
      onDead: {
        description: 'Whether a delivery that needs a person stops the ones behind it in its lane.',
        enum: ['block', 'continue'],
        default: 'block',
      },
    },
  };
}

function renderSchema(envelopes: readonly OptionsSchema[]): OptionsSchema {
  const one = rendering(envelopes);
  const template = text('The file of the template.', 'transforms/riverside/request.json.yaml');
  return {
    description: 'What is sent: one template, or one per type. A type that is not listed does not match.',
    ...either(
      { type: 'string' },
      template,
      either({ type: 'object', required: ['template'] }, one, {
        type: 'object',
        minProperties: 1,
        additionalProperties: either({ type: 'string' }, template, one),
      }),
    ),
  };
}

function answerSchema(): OptionsSchema {
  return {
    description: 'What the answer means. Left out: nothing beyond its verdict.',
    type: 'object',
    additionalProperties: false,
    required: ['as', 'becomes'],
    properties: {
      as: form('The form of the answer.'),
      learn: learn('What the booking learns from every answer.'),
      becomes: {
        description:
          'The event it is: the first that holds. When none holds it is a dead letter with the answer.',
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['when', 'event'],
          properties: {
            when: condition('What must hold.', {
              asked: oneOrMany('The type of the message that was sent.'),
            }),
            event: {
              description: 'What Dawy is told; `none` when it says nothing about the booking.',
              enum: [...BOOKING_EVENTS, NO_EVENT],
            },
            learn: learn('What the booking learns from this answer as well.'),
          },
        },
      },
    },
  };
}

function retrySchema(): OptionsSchema {
  return {
    description: 'How often and how long a delivery is tried.',
    type: 'object',
    additionalProperties: false,
    properties: {
      attempts: {
        description: 'Attempts that count: those that were answered with `later`.',
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        default: 8,
      },
      first: duration('The first pause; it doubles from there.', '5s'),
      max: duration('The longest pause.', '10m'),
      for: duration('After this long the delivery gives up.', '24h'),
      notAfter: text('Where the instant stands after which the delivery makes no sense.', '/slot/start'),
    },
  };
}
