import type { ChannelKind } from '../../engine/channel.ts';
import { SimExchange } from './exchange.ts';
import { type InboundParts, SimInbound } from './inbound.ts';
import { type OutboundParts, SimHospitalLine } from './outbound.ts';

const nothing = { type: 'object', additionalProperties: false, properties: {} };
const envelope = { type: 'object', additionalProperties: { type: 'string' } };

/** The kinds of channel of one simulated process. */
export function simKinds(parts: InboundParts & OutboundParts): readonly ChannelKind[] {
  return [
    {
      kind: 'amqp',
      summary: 'Brings what Dawy has published, and publishes to where Dawy listens.',
      inbound: {
        options: {
          ...nothing,
          properties: { prefetch: { type: 'integer', minimum: 1 } },
          required: ['prefetch'],
        },
        create: (name, { prefetch }: { readonly prefetch: number }, context) =>
          new SimInbound(name, prefetch, context, parts),
      },
      outbound: {
        options: nothing,
        envelope,
        verdicts: { confirmed: 'taken' },
        repeats: 'recognized',
        create: (name, _options, context) => new SimExchange(name, context, parts),
      },
    },
    {
      kind: 'hospital',
      summary: 'Sends to a hospital.',
      outbound: {
        options: { ...nothing, properties: { line: { type: 'string' } } },
        envelope,
        verdicts: { 200: 'taken', '409/SLOT_TAKEN': 'declined', 429: 'later', 404: 'wrong', 422: 'wrong' },
        create: (name, _options, context) => new SimHospitalLine(name, context, parts),
      },
    },
  ];
}
