import { expect } from 'chai';
import { SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { systemRandom } from '../../engine/random.ts';
import { plainSeal } from '../../engine/seal.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { openPostgresStore, type PostgresStore } from '../../engine/store/postgres/store.ts';
import type { Work } from '../../engine/store.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import {
  arrival,
  digest,
  edition,
  OUT,
  oneDelivery,
  ROUTE,
  settlement,
} from '../support/store-conformance.ts';

const BY = { by: 'layla', reason: 'seen in the calendar' };
const UNTIL = new Date(Date.now() + 7_200_000);
const AGAIN = { ...BY, giveUpAt: UNTIL };
const REPLAY = { ...AGAIN, outOfOrder: false, asNew: false };
const HELD = {
  kind: 'stopped',
  state: 'held',
  error: new BridgeError('answer-timeout', 'it said nothing'),
} as const;
const DEAD = {
  kind: 'stopped',
  state: 'dead',
  error: new BridgeError('request-refused', 'it said no'),
} as const;
const nothing = () => ({ messages: [], step: null });

async function rejection(promise: Promise<unknown>): Promise<BridgeError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof BridgeError) return thrown;
    throw thrown;
  }
  throw new TypeError('it was allowed');
}

describe('what people ask the store', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let store: PostgresStore;

  before(async () => {
    database = await testDatabase();
    await migrate(database.url);
    store = await openPostgresStore({
      url: database.url,
      seal: plainSeal,
      digest,
      clock: new SystemClock(),
      random: systemRandom,
      telemetry: { emit: () => undefined },
    });
    await store.join();
  });
  after(async () => {
    await store.close();
    await database.drop();
  });

  /** Claims the first delivery of a booking, and gives back what else was there. */
  async function claimed(booking: string): Promise<Work> {
    const works = await store.claim(OUT, [ROUTE], 100);
    const work = works.find(({ bookingRef }) => bookingRef === booking);
    if (work === undefined) throw new TypeError('nothing to claim');
    await store.release(works.filter((other) => other !== work).map(({ delivery }) => delivery.id));
    return work;
  }

  /** A booking whose first delivery was sent and stopped, with one behind it. */
  async function stoppedWork(booking: string, onDead: 'block' | 'continue' = 'block'): Promise<Work> {
    await store.keep(
      [1, 2].map((n) => arrival(`{"n":${n}}`, { booking, id: `${booking}-${n}` })),
      oneDelivery(),
    );
    const work = await claimed(booking);
    await store.writeEditions([edition(work)]);
    await store.settle([settlement(work, DEAD, { onDead })], nothing);
    return work;
  }

  it('finds a message by everything people say', async () => {
    const work = await stoppedWork('FIND-1');
    const { id } = work.message;
    const finds = async (words: string, names: readonly string[] = []) =>
      (await store.records.find(words, names, 50)).map((message) => message.id);
    const patient = { name: 'patient', value: '0071', private: true };
    const [kept] = await store.keep(
      [{ ...arrival('{}', { booking: 'FIND-2' }), search: [patient] }],
      oneDelivery(),
    );
    expect(await finds('FIND-1'))
      .to.include(id)
      .and.have.length(2);
    expect(await finds(id)).to.deep.equal([id]);
    expect(await finds(work.delivery.id)).to.deep.equal([id]);
    expect(await finds(edition(work).key)).to.deep.equal([id]);
    expect(await finds('D-7')).to.include(id);
    expect(await finds('0071')).to.deep.equal([]);
    expect(await finds('0071', ['patient'])).to.deep.equal([kept?.id]);
    expect(await finds('%')).to.deep.equal([]);
  });

  it('closes a refusal when the same bytes can be taken', async () => {
    const refused = new BridgeError('route-missing', 'no route takes it');
    const open = async () =>
      (await store.records.deadLetters(100)).filter(({ booking }) => booking === 'CORRECTED-1').length;
    const [first] = await store.keep(
      [arrival('{}', { booking: 'CORRECTED-1', id: 'corrected-1', refused })],
      oneDelivery(),
    );
    expect(await open()).to.equal(1);
    await store.keep([arrival('{}', { booking: 'CORRECTED-1', id: 'corrected-1' })], oneDelivery());
    expect(await open()).to.equal(0);
    const trail = await store.records.trail({ booking: 'CORRECTED-1' });
    const closed = trail?.messages.find(({ message }) => message.id === first?.id);
    expect(closed?.audit.map(({ action }) => action)).to.deep.equal(['superseded']);
  });

  it('tells the whole trail with the bytes that went and came', async () => {
    const work = await stoppedWork('TRAIL-1');
    const trail = await store.records.trail({ message: work.message.id });
    const [message] = trail?.messages ?? [];
    const [delivery] = message?.deliveries ?? [];
    expect(message?.message).to.deep.equal(work.message);
    expect(delivery?.state).to.equal('dead');
    expect(delivery?.error?.message).to.equal('it said no');
    expect(delivery?.editions.map(({ body }) => Buffer.from(body).toString())).to.deep.equal(['rendered']);
    expect(delivery?.attempts.map(({ response }) => Buffer.from(response ?? []).toString())).to.deep.equal([
      '{"ok":true}',
    ]);
    expect((await store.records.trail({ booking: 'TRAIL-1' }))?.messages).to.have.length(2);
    expect(await store.records.trail({ booking: 'NOBODY' })).to.equal(null);
  });

  it('shows what needs a person, and what waits behind it', async () => {
    const work = await stoppedWork('DEAD-1');
    const refused = new BridgeError('schema-violation', '/doctor is missing');
    const [kept] = await store.keep([arrival('{"bad":1}', { booking: 'DEAD-2', refused })], oneDelivery());
    const letter = await store.records.deadLetter(work.delivery.id);
    expect(letter).to.include({
      kind: 'delivery',
      state: 'dead',
      behind: 1,
      booking: 'DEAD-1',
      type: 'booking.requested',
    });
    const refusal = await store.records.deadLetter(kept?.id ?? '');
    expect([refusal.kind, refusal.error.code, refusal.error.message]).to.deep.equal([
      'refusal',
      'schema-violation',
      '/doctor is missing',
    ]);
    await store.records.closeRefusal(kept?.id as never, BY);
    expect((await rejection(store.records.deadLetter(kept?.id ?? ''))).code).to.equal('not-found');
    const trail = await store.records.trail({ message: kept?.id as never });
    expect(trail?.messages[0]?.refused).to.deep.include({ open: false });
    expect(trail?.messages[0]?.audit.map(({ by, action, reason }) => [by, action, reason])).to.deep.equal([
      ['layla', 'given-up', BY.reason],
    ]);
  });

  it('replays as a new edition, in its place', async () => {
    const work = await stoppedWork('REPLAY-1');
    await store.records.replay(work.delivery.id, REPLAY);
    const again = await claimed('REPLAY-1');
    expect(again.delivery.id).to.equal(work.delivery.id);
    expect(again.delivery.edition).to.not.equal(work.delivery.edition);
    expect([again.delivery.tries, again.edition]).to.deep.equal([1, null]);
    expect(again.delivery.giveUpAt).to.deep.equal(UNTIL);
  });

  it('replays a held one only when it is said on purpose, and names the safe ways', async () => {
    await store.keep([arrival('{}', { booking: 'REPLAY-3' })], oneDelivery());
    const work = await claimed('REPLAY-3');
    await store.writeEditions([edition(work)]);
    await store.settle([settlement(work, HELD)], nothing);
    const error = await rejection(store.records.replay(work.delivery.id, REPLAY));
    expect(error.code).to.equal('not-allowed');
    expect(error.message).to.include('hisbridge probe').and.include('settle --as not-taken');
    expect((await store.records.deadLetter(work.delivery.id)).error.code).to.equal('answer-timeout');
    await store.records.replay(work.delivery.id, { ...REPLAY, asNew: true });
    expect((await claimed('REPLAY-3')).delivery.edition).to.not.equal(work.delivery.edition);
  });

  it('does not replay past newer deliveries that have gone, and names them', async () => {
    const work = await stoppedWork('REPLAY-2', 'continue');
    const owned = await store.owned();
    const error = await rejection(store.records.replay(work.delivery.id, REPLAY));
    expect(error.code).to.equal('not-allowed');
    expect(owned.some((id) => error.message.includes(id))).to.equal(true);
    await store.records.replay(work.delivery.id, { ...REPLAY, outOfOrder: true });
    expect(
      (await rejection(store.records.replay(work.delivery.id, { ...REPLAY, outOfOrder: true }))).code,
    ).to.equal('not-allowed');
  });

  it('sends the same edition again when a person knows that it was not taken', async () => {
    const work = await stoppedWork('NOT-TAKEN-1');
    await store.records.notTaken(work.delivery.id, AGAIN);
    const again = await claimed('NOT-TAKEN-1');
    expect(again.delivery).to.include({
      id: work.delivery.id,
      edition: work.delivery.edition,
      ambiguous: false,
    });
    expect(again.edition?.key).to.equal(edition(work).key);
    expect((await rejection(store.records.notTaken(work.delivery.id, AGAIN))).code).to.equal('not-allowed');
  });

  it('lists by what messages have in common, and counts them', async () => {
    await stoppedWork('LIST-1');
    const filter = {
      since: new Date(Date.now() - 60_000),
      type: 'booking.requested',
      hospital: null,
      limit: 100,
    };
    const dead = await store.records.list({ ...filter, state: 'dead' });
    expect(dead.map(({ booking }) => booking)).to.include('LIST-1');
    expect(dead.every(({ deliveries }) => deliveries.some(({ state }) => state === 'dead'))).to.equal(true);
    expect(await store.records.list({ ...filter, type: 'none', state: null })).to.deep.equal([]);
    const status = await store.records.status();
    expect(status.channels.find(({ channel }) => channel === OUT)?.counts.dead).to.be.greaterThan(0);
    expect(status.ledger.promised).to.equal(status.ledger.existing);
    expect(status.instances).to.have.length(1);
  });
});
