import { expect } from 'chai';
import {
  cancelRequested,
  type DawyMessage,
  requested,
  rescheduleRequested,
} from '../../sandbox/dawy/messages.ts';
import type { Mode } from '../../sandbox/hospitals/misbehaviour.ts';
import { check, type Evidence, type Named, type Published, sentence } from '../crash/checker.ts';
import { TestNetwork } from '../support/bridge.ts';
import { effectsOn } from '../support/journal.ts';
import { until } from '../support/rabbitmq.ts';

const HOSPITALS = ['alnoor', 'stmary'] as const;
const MODES: readonly Mode[] = [
  'reset-before',
  'reset-after',
  'silent',
  'silent-after',
  'garbage',
  'other-answer',
  'late-answer',
  'rate-limit',
];
/** Each mode happens to every twelfth request or so: more than half of all requests go wrong. */
const RATE = 0.08;
const BOOKINGS = 25;

/** A hospital that is asked again soon, so that a test need not wait for what people would. */
const hasty = (text: string) =>
  text
    .replaceAll('timeout: 5s', 'timeout: 500ms')
    .replaceAll('settleAfter: 2s', 'settleAfter: 200ms')
    .replaceAll('first: 1s, max: 5m', 'first: 100ms, max: 1s')
    .replaceAll('attempts: 8', 'attempts: 50');

/** Publishes a whole life of a booking at once, and says what was published. */
async function publishLife(
  network: TestNetwork,
  hospital: 'alnoor' | 'stmary',
): Promise<readonly Published[]> {
  const wish = network.wish(hospital);
  const messages: readonly DawyMessage[] = [
    requested(wish),
    rescheduleRequested(wish, network.slot(600 + Number(wish.reference.slice(3)))),
    cancelRequested(wish, 'changed plans'),
  ];
  const published: Published[] = [];
  for (const message of messages) {
    await network.publish(message);
    const { type, id: messageId, slot } = message;
    const start = slot === undefined ? {} : { start: slot.start };
    published.push({
      reference: wish.reference,
      hospital,
      type,
      messageId,
      order: published.length,
      ...start,
    });
  }
  return published;
}

/** Everything that was seen from outside. */
async function evidenceOf(network: TestNetwork, published: readonly Published[]): Promise<Evidence> {
  const held = await network.database.query<Named & { at: string }>(
    `select d.booking_ref as reference, m.type from hisbridge.delivery d join hisbridge.message m on m.id = d.message_id
     where d.state in ('held', 'dead', 'waiting')`,
  );
  const journals = {
    alnoor: await network.alnoor.control.journal(),
    stmary: await network.stmary.control.journal(),
  };
  const events = network.heard.map(({ id, type, subject = '', data }) => ({ id, type, subject, data }));
  const refused = network.heard.flatMap(({ data }) =>
    data.refused === undefined ? [] : [{ messageId: String(data.refused['messageId']) }],
  );
  return { published, journals, events, held, refused };
}

describe('hospitals that misbehave under load', function () {
  this.timeout(60_000);
  let network: TestNetwork;

  before(async () => {
    network = await TestNetwork.open({ routes: hasty });
    await network.start();
  });

  after(() => network.close());

  it('do everything they were asked exactly once and in its order, and Dawy hears of all of it', async () => {
    for (const hospital of HOSPITALS) {
      for (const [index, mode] of MODES.entries()) {
        const seed = index + 1;
        await network[hospital].control.break(mode, { rate: RATE, seed, delayMs: 800, retryAfterSeconds: 0 });
      }
    }
    const lives = Array.from({ length: BOOKINGS }, () => HOSPITALS).flat();
    const published = (await Promise.all(lives.map((hospital) => publishLife(network, hospital)))).flat();
    await until(async () => {
      const statuses = await Promise.all(HOSPITALS.map((hospital) => network[hospital].control.status()));
      return statuses.every(({ misbehaviours }) => misbehaviours.every(({ hits }) => hits > 0));
    });
    for (const hospital of HOSPITALS) await network[hospital].control.heal();
    await network.quiet();

    const evidence = await evidenceOf(network, published);
    const found = check(evidence);
    expect(found.summary.ok, sentence(found)).to.equal(true);
    expect(evidence.held).to.deep.equal([]);
    expect(evidence.refused).to.deep.equal([]);
    expect(found.summary.effects).to.equal(published.length);
    for (const { reference } of published)
      expect(network.typesOf(reference), reference).to.deep.equal([
        'booking.confirmed',
        'booking.rescheduled',
        'booking.cancelled',
      ]);
  });

  it('say no with a Fault under HTTP 200 as well as under 500', async () => {
    await network.stmary.control.break('fault-200');
    const first = network.wish('stmary');
    const second = network.wish('stmary', { slot: first.slot });
    await network.publish(requested(first));
    await network.told(first.reference, 'booking.confirmed');
    await network.publish(requested(second));
    const { data } = await network.told(second.reference, 'booking.rejected');
    expect(data.reason).to.equal('SLOT_TAKEN');
    expect(data.alternatives).to.match(/T\d\d:\d\d/);
    await network.stmary.control.heal();
  });

  it('have left no fault behind, and the ledger agrees', async () => {
    expect(await network.faults()).to.deep.equal([]);
  });
});

describe('a hospital that books twice what is sent twice, and cannot be asked', function () {
  this.timeout(60_000);
  let network: TestNetwork;

  before(async () => {
    const unsafe = (text: string) =>
      hasty(text).replace(
        / {4}repeats: probe[\s\S]*?( {4}verdicts:\n {6}response)/,
        '    repeats: unsafe\n$1',
      );
    network = await TestNetwork.open({ routes: unsafe });
    await network.start();
  });

  after(() => network.close());

  it('is sent nothing twice: what is uncertain is held, its booking waits, and Dawy is told', async () => {
    await network.stmary.control.break('reset-after', { rate: 0.2 });
    await network.stmary.control.break('reset-before', { rate: 0.2 });
    const lives = Array.from({ length: BOOKINGS }, () => publishLife(network, 'stmary'));
    const published = (await Promise.all(lives)).flat();
    await network.quiet();

    const evidence = await evidenceOf(network, published);
    const found = check(evidence);
    expect(found.summary.ok, sentence(found)).to.equal(true);
    expect(evidence.held).to.not.deep.equal([]);
    const warned = network.heard.filter(({ type }) => type === 'dead-letter.opened');
    expect(new Set(warned.map(({ data }) => data.deadLetter?.['state']))).to.deep.equal(new Set(['held']));
    for (const { subject = '', data } of warned) {
      expect(data.deadLetter).to.include({ code: 'connection-reset', channel: 'stmary-out' });
      const all = evidence.journals['stmary']?.filter(({ reference }) => reference === subject) ?? [];
      expect(effectsOn(all, subject).length).to.be.at.least(all.length - 1);
    }
  });

  it('has left no fault behind, and the ledger agrees', async () => {
    expect(await network.faults()).to.deep.equal([]);
  });
});
