import { expect } from 'chai';
import { anAnswer } from '../../channels/memory/outbound.ts';
import { type BreakerState, CLOSED } from '../../engine/breaker.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import { calm, comesToHold } from '../support/clock.ts';
import { bodyOf, Core, type CoreOptions, ELSEWHERE, NARROW, PROBED, says } from './core.ts';

const RESET = new BridgeError('connection-reset', 'the script breaks off');
const AWAY = new BridgeError('connection-failed', 'the script is away');
const SECOND = 1_000;
const HOSPITAL = 'riverside-out' as ChannelName;

describe('gate', () => {
  let cores: Core[] = [];

  async function start(options: CoreOptions = {}): Promise<Core> {
    const core = new Core(options);
    cores.push(core);
    await core.engine.start();
    return core;
  }

  afterEach(async () => {
    for (const core of cores) await core.engine.stop();
    cores = [];
  });

  const breakerOf = (core: Core) => core.tables.breakers.get(HOSPITAL)?.state;
  const askAll = (core: Core, bookings: readonly string[]) =>
    Promise.all(bookings.map((booking) => core.ask(booking)));
  const asked = (core: Core) => core.hospital.sent.map((parcel) => bodyOf(parcel)['booking']);

  const shut: readonly (readonly [what: string, breaker: BreakerState])[] = [
    ['is paused', { ...CLOSED, paused: { by: 'operations', reason: 'maintenance', until: null } }],
    [
      'has an open breaker',
      {
        ...CLOSED,
        state: 'open',
        openings: 5,
        reason: 'connection-failed',
        probeAt: new Date('2026-11-01T09:00:00Z'),
      },
    ],
  ];
  for (const [what, breaker] of shut) {
    /** An engine that has seen its hospital shut, with two deliveries for it. */
    async function shutAndAsked(): Promise<Core> {
      const core = await start();
      core.tables.breakers.set(HOSPITAL, { ...breaker, generation: 1 });
      await core.clock.pass(3 * SECOND);
      await askAll(core, ['A', 'B']);
      expect(core.hospital.sent).to.deep.equal([]);
      return core;
    }

    /** Nothing leaves until the hospital is open again; then everything does. */
    async function sendsOnlyOnceOpen(core: Core): Promise<void> {
      await calm();
      await core.ask('C');
      await calm();
      expect(core.hospital.sent).to.deep.equal([]);
      core.tables.breakers.set(HOSPITAL, { ...CLOSED, generation: 2 });
      await core.clock.pass(3 * SECOND);
      await core.done();
      expect(asked(core)).to.deep.equal(['A', 'B', 'C']);
    }

    it(`sends nothing after a restart to a channel that ${what}`, async () => {
      const before = await shutAndAsked();
      await before.engine.stop();
      await sendsOnlyOnceOpen(await start({ beside: before }));
    });

    it(`sends nothing after a reload to a channel that ${what}, though it is opened anew`, async () => {
      const core = await shutAndAsked();
      const before = core.hospital;
      await core.engine.activate(core.planOf(ELSEWHERE));
      expect(core.hospital).to.not.equal(before);
      await sendsOnlyOnceOpen(core);
    });
  }

  it('does not forget across a reload that its breaker opened after the last beat', async () => {
    const core = await start({ hospital: () => AWAY });
    await askAll(core, ['A', 'B', 'C']);
    await comesToHold(() => core.moves.includes('open'));
    await core.engine.activate(core.planOf(ELSEWHERE));
    await core.ask('D');
    await calm();
    expect(core.tried).to.equal(3);
  });

  it('begins no trial beyond its share while a send from before is without an answer', async () => {
    const core = await start({
      routes: NARROW,
      hospital: (_parcel, nth) => (nth <= 3 ? AWAY : says('BOOKED')),
    });
    const bookings = ['A', 'B', 'C', 'D', 'E', 'F'];
    core.hospital.hold();
    const moved = core.holdReplies('moveBreaker');
    await askAll(core, bookings);
    await comesToHold(() => core.hospital.sent.length === 1);
    moved();
    await core.clock.pass(4 * SECOND);
    expect(core.moves).to.deep.equal(['open']);
    expect(core.hospital.sent).to.have.length(1);
    core.hospital.release();
    await core.clock.pass(30 * SECOND);
    await core.done();
    expect(core.moves).to.deep.equal(['open', 'half-open', 'closed']);
    expect(core.ended).to.have.length(bookings.length);
    expect(core.hospital.mostAtOnce).to.equal(1);
  });

  it('begins no trial once it is to stop, and leaves the breaker to be tried by another', async () => {
    const core = await start({ hospital: (_parcel, nth) => (nth <= 3 ? AWAY : says('BOOKED')) });
    await askAll(core, ['A', 'B', 'C']);
    await comesToHold(() => core.moves.includes('open'));
    await core.ask('D');
    const moved = core.holdReplies('moveBreaker');
    await core.clock.pass(SECOND);
    expect(breakerOf(core)).to.equal('half-open');
    const { size } = core.tables.editions;
    const stopping = core.engine.stop();
    await calm();
    moved();
    await stopping;
    await calm();
    expect(core.tables.editions.size).to.equal(size);
    expect(core.open.map(({ state }) => state)).to.deep.equal(['queued', 'queued', 'queued', 'queued']);
    expect(breakerOf(core)).to.equal('open');

    const next = await start({ beside: core });
    await next.clock.pass(20 * SECOND);
    await next.done();
    expect(asked(next)[0]).to.equal('D');
    expect(next.ended).to.have.length(4);
  });

  for (const [what, lost] of [
    ['there is nothing to try it with', []],
    ['nothing can be claimed', ['claim']],
  ] as const) {
    it(`stays open as long as ${what}, and is closed by the next that arrives`, async () => {
      const core = await start({ hospital: (_parcel, nth) => (nth <= 3 ? AWAY : says('BOOKED')) });
      await askAll(core, ['A', 'B', 'C']);
      await comesToHold(() => core.moves.includes('open'));
      if (lost.length > 0) core.losable.lose(...lost);
      await core.clock.pass(3 * SECOND);
      expect(core.tables.breakers.get(HOSPITAL)?.generation).to.be.above(2);
      expect(core.moves).to.deep.equal(['open']);
      expect(breakerOf(core)).to.equal('open');
      core.losable.restore();
      await core.ask('D');
      await calm();
      expect(core.hospital.sent).to.deep.equal([]);
      await core.clock.pass(2 * SECOND);
      expect(asked(core)[0]).to.equal('D');
      expect(core.moves).to.deep.equal(['open', 'half-open', 'closed']);
    });
  }

  it('stays closed for a hospital that answers every question with "not yet"', async () => {
    const wide = (text: string) => PROBED(text).replace('maxInFlight: 2', 'maxInFlight: 8');
    const lost = await start({ routes: wide });
    lost.hospital.hold();
    await askAll(
      lost,
      Array.from({ length: 8 }, (_, n) => `B${n}`),
    );
    await comesToHold(() => lost.hospital.sent.length === 8);
    await lost.losable.store.close();
    lost.losable.lose();
    const core = await start({
      beside: lost,
      routes: wide,
      hospital: () => anAnswer({ body: Buffer.from('{"found":false}') }),
    });
    await core.clock.pass(6 * SECOND);
    expect(core.hospital.sent.map((parcel) => Object.keys(bodyOf(parcel)))).to.deep.equal(
      Array.from({ length: 8 }, () => ['find']),
    );
    expect(core.moves).to.deep.equal([]);
    await core.ask('C');
    await calm();
    expect(asked(core).at(-1)).to.equal('C');
    lost.hospital.release();
    lost.losable.restore();
  });

  it('stays closed when what was sent before the hospital was back has no answer', async () => {
    const lost = () => Promise.withResolvers<never>().promise;
    const core = await start({
      routes: (text) => text.replace('maxInFlight: 2', 'maxInFlight: 8'),
      hospital: (_parcel, nth) => (nth <= 5 ? lost : nth <= 8 ? AWAY : says('BOOKED')),
    });
    await askAll(
      core,
      Array.from({ length: 8 }, (_, n) => `B${n}`),
    );
    await comesToHold(() => core.moves.includes('open'));
    await core.ask('C');
    await core.clock.pass(4 * SECOND);
    expect(core.moves).to.deep.equal(['open', 'half-open', 'closed']);
    await core.clock.pass(60 * SECOND);
    expect(core.moves).to.deep.equal(['open', 'half-open', 'closed']);
    expect(core.open).to.deep.equal([]);
  });

  it('opens for a hospital that answers no question at all', async () => {
    const core = await start({ routes: PROBED, hospital: () => RESET });
    await core.ask('A');
    await core.clock.pass(600 * SECOND);
    expect(core.moves[0]).to.equal('open');
  });
});
