import { expect } from 'chai';
import { AmqpOutbound } from '../../channels/amqp/outbound.ts';
import type { ChannelName } from '../../engine/message.ts';
import { describeOutbound, failure } from '../support/outbound-conformance.ts';
import { contextFor, outboundOptions } from '../support/rabbitmq.ts';
import { ScriptedBroker } from './amqp-far-side.ts';

function channelTo(far: ScriptedBroker): AmqpOutbound {
  return new AmqpOutbound('dawy-out' as ChannelName, outboundOptions('his.events'), contextFor(far.url));
}

describeOutbound('amqp', {
  farSide: () => ScriptedBroker.listening(),
  open: channelTo,
  taken: 'confirmed',
  // A confirm says yes and nothing else; a nack is no answer about the message, only about the broker.
  capabilities: { answers: false, replies: false },
});

describe('outbound amqp and a broker that cannot store', () => {
  it('fails as transient: nothing was taken, and later it may be', async () => {
    const far = await ScriptedBroker.listening();
    const channel = channelTo(far);
    await channel.start();
    far.behave('refuses');
    const parcel = { key: 'key-1', body: Buffer.from('{}'), envelope: {}, type: 'booking.placed' };
    const error = await failure(channel.send(parcel, AbortSignal.timeout(4_000)));
    expect(error.code).to.equal('busy');
    await channel.stop();
    await far.close();
  });
});
