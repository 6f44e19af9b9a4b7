import { expect } from 'chai';
import { anAnswer } from '../../channels/memory/outbound.ts';
import { BridgeError } from '../../engine/errors.ts';
import { calm, comesToHold } from '../support/clock.ts';
import { bodyOf, Core, type CoreOptions, PROBED, says, UNSAFE } from './core.ts';

const RESET = new BridgeError('connection-reset', 'the script breaks off');
const AWAY = new BridgeError('connection-failed', 'the script is away');
const SECOND = 1_000;
/** With less time for a delivery, so that less of it has to pass. */
const brief = (text: string) => text.replace('for: 1h', 'for: 2m');

describe('dispatcher', () => {
  let core: Core;

  async function start(options: CoreOptions = {}): Promise<Core> {
    core = new Core(options);
    await core.engine.start();
    return core;
  }

  afterEach(() => core.engine.stop());

  const states = () => core.open.map(({ state }) => state);
  const defects = () => core.events.filter(({ kind }) => kind === 'defect');

  it('sends nothing before its edition is on disk', async () => {
    const onDisk: boolean[] = [];
    await start({
      hospital: ({ key, body }) => {
        const stored = [...core.tables.editions.values()].find((edition) => edition.key === key);
        onDisk.push(stored !== undefined && Buffer.from(stored.body).equals(Buffer.from(body)));
        return says('BOOKED');
      },
    });
    await Promise.all(['A', 'B', 'C', 'D'].map((booking) => core.ask(booking)));
    await core.done();
    expect(onDisk).to.deep.equal([true, true, true, true]);
  });

  it('sends nothing when the edition cannot be put on disk', async () => {
    await start();
    core.losable.lose('writeEditions');
    await core.ask('A');
    await calm();
    expect(core.hospital.sent).to.deep.equal([]);
    core.losable.restore();
    await core.clock.pass(11 * SECOND);
    await core.done();
    expect(core.hospital.sent).to.have.length(1);
    expect(core.told).to.deep.equal(['booking.confirmed']);
    expect(defects()).to.deep.equal([]);
  });

  it('sends the same bytes under the same key again after an unknown outcome', async () => {
    await start({ hospital: (_parcel, nth) => (nth < 3 ? RESET : says('BOOKED')) });
    await core.ask('A');
    await core.clock.pass(60 * SECOND);
    await core.done();
    const [first, second, third] = core.hospital.sent;
    expect(second).to.deep.equal(first);
    expect(third).to.deep.equal(first);
    expect(core.hospital.sent).to.have.length(3);
    expect(core.told).to.deep.equal(['booking.confirmed']);
  });

  it('sends an edition unchanged after the plan has changed, and the next message by the new plan', async () => {
    await start({ hospital: (_parcel, nth) => (nth === 1 ? RESET : says('BOOKED')) });
    await core.ask('A');
    await comesToHold(() => core.hospital.sent.length === 1);
    const other = { 'ask.json.yaml': 'booking: "{{message.booking}}"\nword: second plan\n' };
    await core.engine.activate(core.planOf(undefined, other));
    await core.clock.pass(60 * SECOND);
    await core.ask('B');
    await core.done();
    expect(core.hospital.sent.map((parcel) => bodyOf(parcel)['word'])).to.deep.equal([
      'first plan',
      'first plan',
      'second plan',
    ]);
  });

  it('does not try again before it is due', async () => {
    await start({
      hospital: (_parcel, nth) =>
        nth === 1 ? anAnswer({ signals: ['later'], retryAfterMs: 40_000 }) : says('BOOKED'),
    });
    await core.ask('A');
    await comesToHold(() => states()[0] === 'queued');
    await core.clock.pass(39 * SECOND);
    expect(core.hospital.sent).to.have.length(1);
    await core.clock.pass(3 * SECOND);
    await core.done();
    expect(core.hospital.sent).to.have.length(2);
    expect(core.ended).to.deep.equal(['delivered']);
  });

  it('stops after the attempts that count, and tells Dawy', async () => {
    await start({ hospital: () => anAnswer({ signals: ['later'] }) });
    await core.ask('A');
    await core.clock.pass(600 * SECOND);
    expect(core.hospital.sent).to.have.length(3);
    expect(core.open[0]).to.include({ state: 'dead' });
    expect(core.open[0]?.error?.code).to.equal('attempts-exhausted');
    expect(core.told).to.deep.equal(['dead-letter.opened']);
  });

  it('holds what is uncertain where a repeat would book twice: its lane waits, the others go on', async () => {
    await start({ routes: UNSAFE, hospital: (_parcel, nth) => (nth === 1 ? RESET : says('BOOKED')) });
    await core.ask('A');
    await core.ask('A', 'booking.cancel-requested');
    await core.ask('B');
    await core.clock.pass(120 * SECOND);
    expect(states()).to.deep.equal(['held', 'waiting']);
    expect(core.hospital.sent.map((parcel) => bodyOf(parcel)['booking'])).to.deep.equal(['A', 'B']);
    expect([...core.told].sort()).to.deep.equal(['booking.confirmed', 'dead-letter.opened']);
  });

  it('asks only after settleAfter, and an absent sends the same edition again', async () => {
    await start({
      routes: PROBED,
      hospital: (parcel, nth) => {
        if (bodyOf(parcel)['find'] !== undefined) return anAnswer({ body: Buffer.from('{"found":false}') });
        return nth === 1 ? RESET : says('BOOKED');
      },
    });
    await core.ask('A');
    await core.clock.pass(29 * SECOND);
    expect(core.hospital.sent).to.have.length(1);
    await core.clock.pass(3 * SECOND);
    await core.done();
    const [first, question, again] = core.hospital.sent;
    expect(bodyOf(question!)).to.deep.equal({ find: 'A' });
    expect(again).to.deep.equal(first);
    expect(core.hospital.sent).to.have.length(3);
    expect(core.tables.attempts.map(({ kind, outcome }) => [kind, outcome]).slice(0, 3)).to.deep.equal([
      ['send', 'connection-reset'],
      ['probe', 'absent'],
      ['send', 'taken'],
    ]);
  });

  it('takes the word of a hospital that has it: nothing is sent again', async () => {
    await start({
      routes: PROBED,
      hospital: (_parcel, nth) => {
        if (nth === 1) return RESET;
        return anAnswer({ body: Buffer.from('{"found":true,"status":"BOOKED","id":"R-7"}') });
      },
    });
    await core.ask('A');
    await core.clock.pass(40 * SECOND);
    await core.done();
    expect(core.hospital.sent.map((parcel) => Object.keys(bodyOf(parcel))[0])).to.deep.equal([
      'booking',
      'find',
    ]);
    expect(core.ended).to.deep.equal(['delivered']);
    expect(core.told).to.deep.equal(['booking.confirmed']);
    expect(core.tables.bookings.get('A')?.context.hospitalRef).to.equal('R-7');
  });

  it('holds what may have been taken when the question cannot be rendered, and asks nothing', async () => {
    // The hospital's own reference is known only from its answer, which never came.
    const files = { 'find.json.yaml': 'find: "{{booking.hospitalRef}}"\n' };
    await start({ routes: PROBED, files, hospital: () => RESET });
    await core.ask('A');
    await core.clock.pass(40 * SECOND);
    await core.done();
    expect(core.hospital.sent).to.have.length(1);
    expect(states()).to.deep.equal(['held']);
    expect(core.open[0]?.error?.code).to.equal('fact-missing');
    expect(core.tables.attempts.map(({ kind, outcome }) => [kind, outcome]).slice(0, 2)).to.deep.equal([
      ['send', 'connection-reset'],
      ['render', 'fact-missing'],
    ]);
    expect(core.told).to.deep.equal(['dead-letter.opened']);
  });

  it('asks again as long as the hospital cannot say, and holds when its time is over', async () => {
    const routes = (text: string) => PROBED(brief(text));
    await start({ routes, hospital: (_parcel, nth) => (nth === 1 ? RESET : says('DONT_KNOW')) });
    await core.ask('A');
    await core.clock.pass(240 * SECOND);
    expect(states()).to.deep.equal(['held']);
    expect(core.open[0]?.error?.code).to.equal('probe-inconclusive');
    const questions = core.hospital.sent.filter((parcel) => bodyOf(parcel)['find'] !== undefined);
    expect(questions.length)
      .to.be.above(1)
      .and.to.equal(core.hospital.sent.length - 1);
  });

  it('begins hot only what has a free slot; the rest waits for one, and no more are under way than the hospital bears', async () => {
    await start();
    core.hospital.hold();
    await Promise.all(['A', 'B', 'C', 'D', 'E'].map((booking) => core.ask(booking)));
    await calm();
    expect(states()).to.deep.equal(['running', 'running', 'queued', 'queued', 'queued']);
    expect(core.hospital.sent).to.have.length(2);
    core.hospital.release();
    await core.done();
    expect(core.hospital.sent.map((parcel) => bodyOf(parcel)['booking'])).to.deep.equal([
      'A',
      'B',
      'C',
      'D',
      'E',
    ]);
    expect(core.hospital.mostAtOnce).to.equal(2);
  });

  it('sends the requests of one booking one after the other, each on what the answer before it taught', async () => {
    await start({
      hospital: (parcel) => says(bodyOf(parcel)['cancel'] === undefined ? 'BOOKED' : 'CANCELLED'),
    });
    core.hospital.hold();
    await core.ask('A');
    await core.ask('A', 'booking.cancel-requested');
    await calm();
    expect(states()).to.deep.equal(['running', 'waiting']);
    core.hospital.release();
    await core.done();
    expect(core.hospital.sent.map(bodyOf)).to.deep.equal([
      { booking: 'A', start: '2026-12-02T08:00:00Z', word: 'first plan' },
      { booking: 'A', cancel: 'R-1' },
    ]);
    expect(core.told).to.deep.equal(['booking.confirmed', 'booking.cancelled']);
  });

  it('stops a lane at what is dead, unless the route says that it may be passed', async () => {
    for (const [onDead, after] of [
      ['block', ['dead', 'waiting']],
      ['continue', ['dead', 'dead']],
    ] as const) {
      await start({
        routes: (text) => text.replace('onDead: block', `onDead: ${onDead}`),
        hospital: () => anAnswer({ signals: ['wrong'] }),
      });
      await core.ask('A');
      await core.ask('A', 'booking.reschedule-requested');
      await core.done();
      expect(states(), onDead).to.deep.equal(after);
      const heads = core.open.map(({ head }) => head);
      expect(heads, onDead).to.deep.equal(onDead === 'block' ? [true, false] : [false, false]);
      if (onDead === 'block') await core.engine.stop();
    }
  });

  it('gives up what was not reached in time: nothing is sent any more', async () => {
    await start({ routes: brief, hospital: () => AWAY });
    await core.ask('A');
    await core.clock.pass(240 * SECOND);
    expect(core.hospital.sent).to.deep.equal([]);
    expect(core.open[0]).to.include({ state: 'dead' });
    expect(core.open[0]?.error?.code).to.equal('time-exhausted');
  });

  it('stops claiming from a hospital that is away, tries it with one, and widens again by a ramp', async () => {
    let away = true;
    let atOnce = 0;
    const widths: number[] = [];
    await start({
      routes: (text) => text.replace('maxInFlight: 2', 'maxInFlight: 16'),
      hospital: () => {
        if (away) return AWAY;
        return async () => {
          atOnce += 1;
          widths.push(atOnce);
          await calm(3);
          atOnce -= 1;
          return says('BOOKED');
        };
      },
    });
    const bookings = Array.from({ length: 12 }, (_, n) => `B${n}`);
    await Promise.all(bookings.map((booking) => core.ask(booking)));
    const moves = () => core.events.flatMap((event) => (event.kind === 'breaker-moved' ? [event.to] : []));
    await comesToHold(() => moves().includes('open'));
    away = false;
    await core.clock.pass(60 * SECOND);
    await core.done();
    expect(moves()).to.deep.equal(['open', 'half-open', 'closed']);
    expect(widths[0]).to.equal(1);
    expect(Math.max(...widths.slice(0, 2))).to.equal(1);
    expect(core.ended).to.have.length(12);
    expect([...core.tables.ended.values()].every(({ attempts }) => attempts === 0)).to.equal(true);
  });

  it('passes over what came too late at once, however much of it there is, when a hospital is back', async () => {
    let away = true;
    await start({ routes: brief, hospital: () => (away ? AWAY : says('BOOKED')) });
    await Promise.all(Array.from({ length: 30 }, (_, n) => core.ask(`B${n}`)));
    await core.clock.pass(150 * SECOND);
    await core.ask('C');
    away = false;
    await core.clock.pass(60 * SECOND);
    await core.done();
    expect(core.hospital.sent.map((parcel) => bodyOf(parcel)['booking'])).to.deep.equal(['C']);
    expect(core.open.map(({ error }) => error?.code)).to.deep.equal(
      Array.from({ length: 30 }, () => 'time-exhausted'),
    );
  });

  it('sends nothing once it cannot prove that it lives, and everything when it can again', async () => {
    await start();
    core.losable.lose('beat');
    await core.clock.pass(16 * SECOND);
    await core.ask('A');
    await calm();
    expect(core.hospital.sent).to.deep.equal([]);
    core.losable.restore();
    await core.clock.pass(20 * SECOND);
    await core.done();
    expect(core.hospital.sent).to.have.length(1);
    expect(core.told).to.deep.equal(['booking.confirmed']);
  });

  it('waits for an answer no longer than the channel says', async () => {
    await start({
      hospital: (_parcel, nth) => (nth === 1 ? () => Promise.withResolvers<never>().promise : says('BOOKED')),
    });
    await core.ask('A');
    await core.clock.pass(4 * SECOND);
    expect(states()).to.deep.equal(['running']);
    await core.clock.pass(2 * SECOND);
    expect(states()).to.deep.equal(['queued']);
    expect(core.open[0]).to.include({ ambiguous: true });
    expect(core.open[0]?.error?.code).to.equal('answer-timeout');
    await core.clock.pass(20 * SECOND);
    expect(core.ended).to.deep.equal(['delivered']);
  });
});
