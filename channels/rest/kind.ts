import type { ChannelKind } from '../../engine/channel.ts';
import { REST_ENVELOPE, REST_OPTIONS } from './options.ts';
import { RestOutbound } from './outbound.ts';

export const rest: ChannelKind = {
  kind: 'rest',
  summary: 'Sends JSON or XML over HTTP and reads what the answer means from its status and body.',
  outbound: {
    options: REST_OPTIONS,
    envelope: REST_ENVELOPE,
    create: (name, options, context) => new RestOutbound(name, options, context),
  },
};
