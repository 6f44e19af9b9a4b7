import { expect } from 'chai';
import { ScriptedSource } from '../../../channels/memory/inbound.ts';
import { memoryKind } from '../../../channels/memory/kind.ts';
import type { Arrival, Receipt } from '../../../engine/channel.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { ChannelName, MessageId } from '../../../engine/message.ts';
import { aContext } from '../context.ts';

const ACCEPTED: Receipt = { kind: 'accepted', id: '0195-a' as MessageId };

describe('scripted source', () => {
  it('brings what the test delivers and tells it the receipt', async () => {
    const source = new ScriptedSource('dawy-in');
    const arrivals: Arrival[] = [];
    await source.start(async (arrival) => {
      arrivals.push(arrival);
      return ACCEPTED;
    });

    const receipt = await source.deliver({ type: 'booking.requested' }, { 'amqp.messageid': 'm-1' });
    await source.deliver('not json');

    expect(receipt).to.equal(ACCEPTED);
    expect(arrivals.map(({ body }) => Buffer.from(body).toString())).to.deep.equal([
      '{"type":"booking.requested"}',
      'not json',
    ]);
    expect(arrivals[0]?.headers).to.deep.equal({ 'amqp.messageid': 'm-1' });
  });

  it('tells its sender when nothing was kept', async () => {
    const source = new ScriptedSource('dawy-in');
    const away = new BridgeError('store-unavailable', 'no connection');
    await source.start(() => Promise.reject(away));

    const thrown = await source.deliver({}).catch((reason: unknown) => reason);

    expect(thrown).to.equal(away);
  });

  it('answers what it has taken before it stops, and takes nothing after', async () => {
    const source = new ScriptedSource('dawy-in');
    const kept = Promise.withResolvers<Receipt>();
    await source.start(() => kept.promise);
    const ends: string[] = [];

    const delivering = source.deliver({}).then(() => ends.push('answered'));
    const stopping = source.stop().then(() => ends.push('stopped'));
    kept.resolve(ACCEPTED);
    await Promise.all([delivering, stopping]);

    expect(ends).to.deep.equal(['answered', 'stopped']);
    expect(await source.deliver({}).catch((reason: unknown) => reason)).to.be.instanceOf(BridgeError);
  });

  it('is made by its kind under the name of the channel', () => {
    const memory = memoryKind();

    const channel = memory.inbound!.create('dawy-in' as ChannelName, {} as never, aContext().context);

    expect(memory.sources.get('dawy-in')).to.equal(channel);
  });
});
