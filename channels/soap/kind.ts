import type { ChannelKind } from '../../engine/channel.ts';
import { SOAP_ENVELOPE, SOAP_OPTIONS } from './options.ts';
import { SoapOutbound } from './outbound.ts';

export const soap: ChannelKind = {
  kind: 'soap',
  summary: 'Posts SOAP 1.1 or 1.2 envelopes and tells a response from a fault, whatever the HTTP status.',
  outbound: {
    options: SOAP_OPTIONS,
    envelope: SOAP_ENVELOPE,
    create: (name, options, context) => new SoapOutbound(name, options, context),
  },
};
