import { expect } from 'chai';
import { BridgeError } from '../../engine/errors.ts';
import { calm, comesToHold } from '../support/clock.ts';
import { bodyOf, Core, type CoreOptions, ELSEWHERE, NARROW, says } from './core.ts';

const SECOND = 1_000;

describe('engine', () => {
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

  const kinds = (core: Core) => core.events.map(({ kind }) => kind);

  it('does not start without a store', async () => {
    const core = new Core();
    core.losable.lose();
    const thrown = await core.engine.start().then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(BridgeError).and.to.include({ code: 'store-unavailable' });
  });

  it('lets what is under way end before it stops, and takes nothing new', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await core.ask('B');
    await core.ask('C');
    await comesToHold(() => core.hospital.sent.length === 2);
    let stopped = false;
    const stopping = core.engine.stop().then(() => {
      stopped = true;
    });
    await calm();
    expect(stopped).to.equal(false);
    core.hospital.release();
    await stopping;
    expect(core.ended).to.deep.equal(['delivered', 'delivered']);
    expect(core.hospital.sent).to.have.length(2);
    expect(core.tables.inOrder().map(({ state }) => state)).to.not.include('running');
    const thrown = await core.ask('D').catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(BridgeError);
    cores = [];

    const next = await start({ beside: core });
    await next.clock.pass(3 * SECOND);
    await next.done();
    expect(next.hospital.sent.map((parcel) => bodyOf(parcel)['booking'])).to.deep.equal(['C']);
    expect([...core.told, ...next.told].filter((type) => type === 'booking.confirmed')).to.have.length(3);
  });

  it('does not begin the next of a lane once it is to stop', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await core.ask('A', 'booking.reschedule-requested');
    await core.ask('A', 'booking.cancel-requested');
    await comesToHold(() => core.hospital.sent.length === 1);
    const stopping = core.engine.stop();
    await calm();
    core.hospital.release();
    await stopping;
    expect(core.hospital.sent).to.have.length(1);
    expect(core.open.map(({ state }) => state)).to.deep.equal(['queued', 'waiting']);
  });

  it('stops while the store is away, though a change of plan waits for it, and leaves what it knew to the next', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    const { hospital } = core;
    const changing = core.engine.activate(core.planOf(ELSEWHERE)).catch(() => undefined);
    await calm();
    core.losable.lose();
    hospital.release();
    await calm();
    let stopped = false;
    const stopping = core.engine.stop().then(() => {
      stopped = true;
    });
    await core.clock.pass(60 * SECOND);
    const endedAlone = stopped;
    core.losable.restore();
    await Promise.all([changing, stopping]);
    expect(endedAlone).to.equal(true);
    expect(kinds(core).at(-1)).to.equal('instance-left');
    const late = await core.engine.activate(core.planOf()).catch((error: unknown) => error);
    expect(late).to.be.instanceOf(BridgeError).and.to.include({ code: 'not-allowed' });

    const next = await start({ beside: core });
    await next.clock.pass(20 * SECOND);
    await next.done();
    expect(next.hospital.sent.map(({ key }) => key)).to.deep.equal(hospital.sent.map(({ key }) => key));
    expect(next.ended).to.deep.equal(['delivered']);
  });

  it('drops nothing when the store is lost and found at any moment', async () => {
    const core = await start({ routes: (text) => text.replace('maxInFlight: 2', 'maxInFlight: 4') });
    const bookings = Array.from({ length: 40 }, (_, n) => `B${n}`);
    const calls = ['keep', 'claim', 'writeEditions', 'settle', 'beat', 'owned', 'moveBreaker'] as const;
    for (const [n, booking] of bookings.entries()) {
      core.losable.lose(calls[n % calls.length]!);
      const asked = core.ask(booking).catch(() => null);
      await calm(n % 5);
      core.losable.restore();
      if ((await asked) === null) await core.ask(booking);
    }
    await core.clock.pass(30 * SECOND);
    await core.done();
    expect(core.ended).to.have.length(bookings.length);
    expect(core.told).to.deep.equal(bookings.map(() => 'booking.confirmed'));
    const keys = new Set(core.hospital.sent.map(({ key }) => key));
    expect(keys.size).to.equal(bookings.length);
    expect(kinds(core)).to.not.include('defect');
  });

  it('gives back what the table says is its own and memory does not hold, at the second look', async () => {
    const core = await start();
    core.losable.lose('writeEditions');
    await core.ask('A');
    await calm();
    core.losable.restore();
    expect(core.open[0]).to.include({ state: 'running' });
    await core.clock.pass(6 * SECOND);
    expect(core.open[0]).to.include({ state: 'running' });
    await core.clock.pass(5 * SECOND);
    await core.done();
    expect(core.events.filter(({ kind }) => kind === 'orphans-released')).to.deep.equal([
      { kind: 'orphans-released', count: 1 },
    ]);
    expect(core.ended).to.deep.equal(['delivered']);
  });

  it('opens a channel anew only when its own options have changed', async () => {
    const core = await start();
    const before = { hospital: core.hospital, dawy: core.dawy };
    await core.engine.activate(
      core.planOf(undefined, { 'ask.json.yaml': 'booking: "{{message.booking}}"\n' }),
    );
    expect(core.hospital).to.equal(before.hospital);
    await core.engine.activate(core.planOf(ELSEWHERE));
    expect(core.hospital).to.not.equal(before.hospital);
    expect(core.dawy).to.equal(before.dawy);
    await core.ask('A');
    await core.done();
    expect(core.told).to.deep.equal(['booking.confirmed']);
    expect(core.tables.plans.size).to.equal(3);
  });

  it('gives a hospital as much at once as a changed plan says, and no more', async () => {
    const core = await start();
    core.hospital.hold();
    await Promise.all(Array.from({ length: 8 }, (_, n) => core.ask(`B${n}`)));
    await comesToHold(() => core.hospital.sent.length === 2);
    await core.engine.activate(core.planOf((text) => text.replace('maxInFlight: 2', 'maxInFlight: 5')));
    await core.clock.pass(3 * SECOND);
    expect(core.hospital.sent).to.have.length(5);
    await core.engine.activate(core.planOf((text) => text.replace('maxInFlight: 2', 'maxInFlight: 1')));
    core.hospital.release();
    await core.clock.pass(3 * SECOND);
    await core.done();
    expect(core.hospital.mostAtOnce).to.equal(5);
    expect(core.ended).to.have.length(8);
  });

  it('can be given another plan after one that could not be put in force', async () => {
    const core = await start();
    core.losable.lose('savePlan');
    const other = core.planOf(undefined, {
      'ask.json.yaml': 'booking: "{{message.booking}}"\nword: other\n',
    });
    const thrown = await core.engine.activate(other).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(BridgeError).and.to.include({ code: 'store-unavailable' });
    core.losable.restore();
    await core.ask('A');
    await core.engine.activate(other);
    await core.ask('B');
    await core.done();
    expect(core.hospital.sent.map((parcel) => bodyOf(parcel)['word'])).to.deep.equal(['first plan', 'other']);
  });

  it('lets what was taken in under a plan before end, also when its channel is gone and its body was no JSON', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await core.ask('B');
    await core.ask('C');
    const [, , late] = core.open;
    const kept = core.tables.messages.get(late!.message)!;
    core.tables.messages.set(late!.message, {
      ...kept,
      message: { ...kept.message, body: Buffer.from('<a/>') },
    });
    await core.engine.activate(core.planOf((text) => text.replaceAll('dawy-in', 'dawy-other')));
    core.hospital.release();
    await core.clock.pass(20 * SECOND);
    await core.done();
    expect(core.ended).to.deep.equal(['delivered', 'delivered']);
    expect(core.open[0]).to.include({ state: 'dead' });
    expect(core.open[0]?.error?.code).to.equal('body-unreadable');
    expect(kinds(core)).to.not.include('defect');
  });

  it('divides what the hospital bears with an engine that joins, and never sends more', async () => {
    let now = 0;
    let most = 0;
    const first = Promise.withResolvers<void>();
    const counted = async () => {
      now += 1;
      most = Math.max(most, now);
      await first.promise;
      await calm(2);
      now -= 1;
      return says('BOOKED');
    };
    const patient = (text: string) => text.replace('timeout: 5s', 'timeout: 5m');
    const core = await start({ routes: patient, hospital: () => counted });
    await Promise.all(Array.from({ length: 10 }, (_, n) => core.ask(`B${n}`)));
    await comesToHold(() => now === 2);
    const other = await start({ beside: core, routes: patient, hospital: () => counted });
    await core.clock.pass(20 * SECOND);
    // The first has both slots under way and can make no room: the second sends nothing yet.
    expect(other.hospital.sent).to.deep.equal([]);
    first.resolve();
    await core.clock.pass(20 * SECOND);
    await core.done();
    await Promise.all(Array.from({ length: 10 }, (_, n) => core.ask(`C${n}`)));
    await core.clock.pass(5 * SECOND);
    await core.done();
    expect(most).to.equal(2);
    expect(other.hospital.sent.length).to.be.above(0);
    expect(core.hospital.sent.length + other.hospital.sent.length).to.equal(20);
  });

  it('sends nothing after it was declared lost until the others have made room', async () => {
    const core = await start();
    core.losable.lose('beat');
    await core.clock.pass(60 * SECOND);
    const other = await start({ beside: core });
    other.hospital.hold();
    await Promise.all(Array.from({ length: 4 }, (_, n) => other.ask(`B${n}`)));
    await comesToHold(() => other.hospital.sent.length === 2);
    core.losable.restore();
    await core.clock.pass(3 * SECOND);
    expect(kinds(core)).to.include('instance-fenced');
    expect(core.hospital.sent).to.deep.equal([]);
    other.hospital.release();
    await core.clock.pass(10 * SECOND);
    await core.done();
    expect(core.ended).to.have.length(4);
  });

  it('lets go of a send that was taken over: what has not left until then never does', async () => {
    let connecting: AbortSignal | null = null;
    const core = await start({
      routes: (text) => text.replace('timeout: 5s', 'timeout: 5m'),
      hospital: () => (_parcel, signal) => {
        connecting = signal;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(says('BOOKED'))));
      },
    });
    const other = await start({ beside: core });
    await core.clock.pass(6 * SECOND);
    other.hospital.hold();
    await core.ask('A');
    await comesToHold(() => connecting !== null);
    // The session breaks that shows the first alive: the second takes over, and the first joins anew at its next beat.
    const [first] = core.tables.instances.values();
    core.tables.instances.set(first!.id, { ...first!, crashed: true });
    await core.clock.pass(5 * SECOND);
    expect(kinds(core)).to.include('instance-fenced');
    expect(connecting).to.have.property('aborted', true);
    expect(core.moves).to.deep.equal([]);
    other.hospital.release();
    await core.clock.pass(10 * SECOND);
    await core.done();
    expect(core.ended).to.deep.equal(['delivered']);
  });

  it('takes in what it has no slot for, and lets the engine that has one know at once', async () => {
    const core = await start({ routes: NARROW });
    const other = await start({ beside: core, routes: NARROW });
    await core.clock.pass(10 * SECOND);
    const asked = ['A', 'B', 'C'];
    await Promise.all(asked.map((booking) => other.ask(booking)));
    await core.done();
    expect(core.hospital.sent.map((parcel) => bodyOf(parcel)['booking'])).to.deep.equal(asked);
    expect(other.hospital.sent).to.deep.equal([]);
    expect([...core.told, ...other.told]).to.deep.equal(asked.map(() => 'booking.confirmed'));
  });

  it('lets what is under way end by the plan it began with', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    await core.engine.activate(core.planOf((text) => text.replace('to-riverside:', 'to-riverside-anew:')));
    core.hospital.release();
    await core.done();
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.told).to.deep.equal(['booking.confirmed']);
  });

  it('leaves the next of a lane to an engine that has its route', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    const newer = await start({
      beside: core,
      routes: (text) => text.replace('to-riverside:', 'to-riverside-anew:'),
    });
    await newer.ask('A', 'booking.cancel-requested');
    expect(core.open.map(({ route, state }) => [route, state])).to.deep.equal([
      ['to-riverside', 'running'],
      ['to-riverside-anew', 'waiting'],
    ]);
    core.hospital.release();
    await core.clock.pass(20 * SECOND);
    await core.done();
    expect(newer.hospital.sent.map((parcel) => bodyOf(parcel))).to.deep.equal([
      { booking: 'A', cancel: 'R-1' },
    ]);
    expect(core.ended).to.deep.equal(['delivered', 'delivered']);
    expect(kinds(core)).to.not.include('orphans-released');
  });

  it('takes over what an engine left that is gone, as certain or uncertain as it is', async () => {
    const core = await start();
    core.hospital.hold();
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    const [key] = core.hospital.sent.map((parcel) => parcel.key);
    await core.losable.store.close();
    core.losable.lose();
    const other = await start({ beside: core });
    await other.clock.pass(6 * SECOND);
    await other.done();
    expect(other.hospital.sent.map((parcel) => parcel.key)).to.deep.equal([key]);
    expect(other.events.find(({ kind }) => kind === 'instance-took-over')).to.include({
      queued: 1,
      ambiguous: 1,
    });
    core.hospital.release();
    core.losable.restore();
    await comesToHold(() => kinds(core).includes('settle-fenced'));
    expect(core.ended).to.deep.equal(['delivered']);
  });
});
