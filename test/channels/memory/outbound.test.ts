import { expect } from 'chai';

import { memoryKind } from '../../../channels/memory/kind.ts';
import { anAnswer, ScriptedDestination } from '../../../channels/memory/outbound.ts';
import type { Parcel } from '../../../engine/channel.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { ChannelName } from '../../../engine/message.ts';
import { describeOutbound, failure } from '../../support/outbound-conformance.ts';
import { aContext } from '../context.ts';
import { ScriptedFarSide } from './far-side.ts';

describeOutbound('memory', {
  farSide: async () => new ScriptedFarSide(),
  open: (far) => far.destination,
  taken: 'taken',
  capabilities: { answers: { refused: 'wrong', means: 'request-refused' }, replies: true },
});

describe('scripted destination', () => {
  const parcel = (key: string): Parcel => ({ key, body: Buffer.from('{}'), envelope: {}, type: 't' });
  const never = new AbortController().signal;

  it('plays its steps in turn and takes what comes after them', async () => {
    const reset = new BridgeError('connection-reset', 'scripted');
    const destination = new ScriptedDestination('riverside', [reset, anAnswer({ signals: ['declined'] })]);

    expect(await failure(destination.send(parcel('a'), never))).to.equal(reset);
    expect((await destination.send(parcel('b'), never)).signals).to.deep.equal(['declined']);
    expect((await destination.send(parcel('c'), never)).signals).to.deep.equal(['taken']);
    expect(destination.sent.map(({ key }) => key)).to.deep.equal(['a', 'b', 'c']);
  });

  it('knows how many were under way at once', async () => {
    const destination = new ScriptedDestination('riverside');
    await destination.send(parcel('alone'), never);
    destination.hold();

    const sends = ['a', 'b', 'c'].map((key) => destination.send(parcel(key), never));
    await destination.arrived(4);
    destination.release();
    await Promise.all(sends);

    expect(destination.mostAtOnce).to.equal(3);
  });

  it('is made by its kind under the name of the channel', async () => {
    const memory = memoryKind({ 'riverside-out': [anAnswer({ signals: ['later'] })] });
    const { context } = aContext();

    const channel = memory.outbound!.create('riverside-out' as ChannelName, {} as never, context);
    await channel.start();
    const answer = await channel.send(parcel('a'), never);

    expect(answer.signals).to.deep.equal(['later']);
    expect(memory.destinations.get('riverside-out')?.sent).to.have.length(1);
  });
});
