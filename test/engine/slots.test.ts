import { expect } from 'chai';
import { ScriptedDestination } from '../../channels/memory/outbound.ts';
import { CLOSED } from '../../engine/breaker.ts';
import { Dispatcher } from '../../engine/dispatcher.ts';
import type { ChannelName, DeliveryId, EditionId, Message, RouteName } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import type { Settler } from '../../engine/settler.ts';
import type { Store, Work } from '../../engine/store.ts';
import { calm, comesToHold } from '../support/clock.ts';
import { Core, ELSEWHERE, NARROW } from './core.ts';

const SECOND = 1_000;
const HOSPITAL = 'riverside-out' as ChannelName;
/** Dawy listens to one thing at a time; as `anew` by another way, so that its channel is opened anew. */
const oneByOne = (text: string) => text.replace('maxInFlight: 64', 'maxInFlight: 1');
const anew = (text: string) =>
  oneByOne(text).replace('dawy-out: { system: dawy,', 'dawy-out: { system: riverside,');

describe('slots', () => {
  const bookings = ['B', 'C', 'D', 'E', 'F'];

  it('are never one too many when a channel is opened anew while what a settlement began for it is on its way', async () => {
    const core = new Core({ routes: oneByOne });
    await core.engine.start();
    const settled = core.holdReplies('settle');
    await core.ask('A');
    await calm();
    expect(core.tables.inOrder().map(({ channel, state }) => [channel, state])).to.deep.equal([
      ['dawy-out', 'running'],
    ]);
    const changing = core.engine.activate(core.planOf(anew));
    await calm();
    settled();
    await changing;
    await core.clock.pass(3 * SECOND);
    await core.done();
    core.listener.hold();
    for (const booking of bookings) await core.ask(booking);
    await calm();
    expect(core.listener.mostAtOnce).to.equal(1);
    core.listener.release();
    await core.done();
    expect(core.told.length).to.be.at.least(bookings.length);
    expect(core.listener.mostAtOnce).to.equal(1);
    await core.engine.stop();
  });

  it('are never one too many when a channel is opened anew while what an arrival began for it is on its way', async () => {
    const core = new Core({ routes: NARROW });
    await core.engine.start();
    const kept = core.holdReplies('keep');
    const asked = core.ask('A');
    await comesToHold(() => core.open[0]?.state === 'running');
    const changing = core.engine.activate(core.planOf((text) => ELSEWHERE(NARROW(text))));
    await calm();
    kept();
    await Promise.all([asked, changing]);
    await core.clock.pass(3 * SECOND);
    await core.done();
    core.hospital.hold();
    for (const booking of bookings) await core.ask(booking);
    await calm();
    expect(core.hospital.mostAtOnce).to.equal(1);
    core.hospital.release();
    await core.done();
    expect(core.ended).to.have.length(1 + bookings.length);
    expect(core.hospital.mostAtOnce).to.equal(1);
    await core.engine.stop();
  });

  it('are not free between the end of a claim and the beginning of what it brought', async () => {
    const core = new Core({ routes: NARROW });
    const plan = core.planOf(NARROW);
    const claimed = Promise.withResolvers<readonly Work[]>();
    const claims = [claimed.promise];
    const written = Promise.withResolvers<boolean>();
    const dispatcher = new Dispatcher({
      name: HOSPITAL,
      channel: new ScriptedDestination(HOSPITAL),
      plan: () => plan,
      store: { claim: async () => (await claims.pop()) ?? [] } as unknown as Store,
      settler: {} as Settler,
      write: () => written.promise,
      maySend: () => true,
      clock: core.clock,
      random: systemRandom,
      telemetry: { emit: () => undefined },
    });
    dispatcher.follow(CLOSED);
    dispatcher.shareOut(1);
    expect(dispatcher.reserve()).to.equal(false);
    await comesToHold(() => dispatcher.inFlight === 1);
    claimed.resolve([aWork(core.clock.now())]);
    const given: boolean[] = [];
    while (given.length < 50) {
      given.push(dispatcher.reserve());
      await null;
    }
    expect(given).to.not.include(true);
    expect(dispatcher.inFlight).to.equal(1);
    expect(dispatcher.held()).to.have.length(1);
    // It was another's after all: the slot is free again.
    written.resolve(false);
    await calm();
    expect(dispatcher.reserve()).to.equal(true);
  });
});

/** A delivery to the hospital as a claim brings it, rendered for the first time. */
function aWork(now: Date): Work {
  const message = {
    id: '0199',
    correlation: 'A',
    cause: null,
    channel: 'dawy-in',
    type: 'booking.requested',
    hospital: 'riverside',
    headers: { 'memory.id': '1' },
    form: 'bytes',
    body: Buffer.from(
      '{"type":"booking.requested","hospital":"riverside","booking":"A","start":"2026-12-02T08:00:00Z"}',
    ),
    receivedAt: now,
  } as unknown as Message<Uint8Array>;
  return {
    delivery: {
      id: '019a' as DeliveryId,
      message: message.id,
      route: 'to-riverside' as RouteName,
      channel: HOSPITAL,
      hospital: message.hospital,
      lane: null,
      edition: '0199a000-0000-7000-8000-000000000001' as EditionId,
      tries: 1,
      attempts: 0,
      ambiguous: false,
      keptAt: now,
      giveUpAt: new Date(now.getTime() + 3_600_000),
    },
    message,
    bookingRef: 'A',
    booking: null,
    edition: null,
    lastSentAt: null,
  };
}
