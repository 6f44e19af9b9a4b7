import { expect } from 'chai';
import type { Booking, BookingInput } from '../../engine/booking.ts';
import { CLOSED, opened } from '../../engine/breaker.ts';
import type { Next } from '../../engine/delivery.ts';
import { BridgeError } from '../../engine/errors.ts';
import { bodyDigest, keyedDigest } from '../../engine/lane.ts';
import type {
  ChannelName,
  DeliveryId,
  EditionId,
  Message,
  MessageId,
  RouteName,
  SystemName,
} from '../../engine/message.ts';
import { newId, TIMER } from '../../engine/message.ts';
import { systemRandom } from '../../engine/random.ts';
import type {
  Attempt,
  BookingStep,
  Consequences,
  Edition,
  Keeping,
  Kept,
  Membership,
  NewDelivery,
  Pulse,
  Settlement,
  Store,
  Work,
} from '../../engine/store.ts';

/** One set of data, and stores over it. */
export interface StoreWorld {
  /** Another store over the same data, whose clock is off by so much. */
  open(clockOffMs?: number): Promise<Store>;
  /** Ends a store as a crash of its process would: it does not leave. */
  crash(store: Store): Promise<void>;
  /** How many messages are kept in all. */
  messages(): Promise<number>;
  /** The open deliveries of a booking, or of none, in the order they were kept. */
  deliveries(
    booking: string | null,
  ): Promise<readonly { readonly id: DeliveryId; readonly state: string; readonly head: boolean }[]>;
  close(): Promise<void>;
}

export const digest = keyedDigest('a secret of the tests');
export const OUT = 'riverside-out' as ChannelName;
export const IN = 'dawy-in' as ChannelName;
export const ROUTE = 'to-riverside' as RouteName;
const RIVERSIDE = 'riverside' as SystemName;
const REPORT = { plan: 'plan-1', honours: 1, graceMs: 1_000 };

const clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: () => Promise.resolve(),
  turn: () => Promise.resolve(),
  alarm: () => () => undefined,
};
export const freshId = <Id extends string>(): Id => newId<Id>(clock, systemRandom);

interface ArrivalOptions {
  readonly id?: string;
  readonly booking?: string | null;
  readonly refused?: BridgeError | null;
}

let serial = 0;

/** An arrival of a made-up booking. */
export function arrival(body: string, { id, booking = 'B-1', refused = null }: ArrivalOptions = {}): Keeping {
  serial += 1;
  const bytes = Buffer.from(body);
  const messageId = freshId<MessageId>();
  const message: Message<Uint8Array> = {
    id: messageId,
    correlation: booking ?? messageId,
    cause: null,
    channel: IN,
    type: 'booking.requested',
    hospital: RIVERSIDE,
    headers: { 'amqp.messageid': id ?? `m-${serial}` },
    form: 'json',
    body: bytes,
    receivedAt: new Date(),
  };
  return {
    message,
    bodyDigest: bodyDigest(bytes),
    dedupe: digest.dedupe(IN, id ?? `m-${serial}`),
    booking,
    lanes: booking === null ? [] : [digest.lane(booking)],
    search: [{ name: 'doctor', value: 'D-7', private: false }],
    refused,
  };
}

/** One delivery of a message, to one channel, in the lane of its booking. */
export function delivery(booking: string | null, more: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id: freshId<DeliveryId>(),
    route: ROUTE,
    channel: OUT,
    lane: booking === null ? null : digest.lane(booking),
    edition: freshId<EditionId>(),
    giveUpAt: new Date(Date.now() + 86_400_000),
    hot: false,
    ...more,
  };
}

/** What the tests let follow from an arrival: a delivery, or a refusal. */
export function oneDelivery(more: Partial<NewDelivery> = {}): (keeping: Keeping) => Consequences {
  return ({ message, search, booking, refused }) => ({
    messages: [
      { message, search, booking, refused, deliveries: refused === null ? [delivery(booking, more)] : [] },
    ],
    step: null,
  });
}

const nothing = (): Consequences => ({ messages: [], step: null });

function stepOf(booking: Booking | null, keeping: Keeping, state: string): BookingStep {
  const input: BookingInput = {
    kind: 'request',
    type: keeping.message.type,
    learnt: {},
    asked: null,
    messageId: keeping.message.id,
    at: new Date(),
  };
  return {
    before: booking?.state ?? null,
    after: {
      reference: keeping.booking ?? '-',
      hospital: RIVERSIDE,
      state,
      context: { hospitalRef: `H-${booking?.version ?? 0}` },
      version: (booking?.version ?? 0) + 1,
      wakeAt: null,
    },
    input,
  };
}

/** An attempt that is over. */
export function attempt(work: Work, more: Partial<Attempt> = {}): Attempt {
  return {
    id: freshId<string>(),
    kind: 'send',
    no: work.delivery.tries,
    startedAt: new Date(),
    endedAt: new Date(),
    outcome: 'taken',
    summary: '200',
    response: Buffer.from('{"ok":true}'),
    plan: 'plan-1',
    ...more,
  };
}

/** A settlement of a delivery this instance owns. */
export function settlement(work: Work, next: Next, more: Partial<Settlement> = {}): Settlement {
  return {
    delivery: work.delivery,
    next,
    onDead: 'block',
    attempt: attempt(work),
    booking: work.bookingRef,
    lanes: [],
    fence: 'owned',
    audit: null,
    promoteHot: true,
    ...more,
  };
}

const DELIVERED: Next = { kind: 'ended', as: 'delivered' };
const dead: Next = {
  kind: 'stopped',
  state: 'dead',
  error: new BridgeError('request-refused', 'it said no'),
};
const held: Next = {
  kind: 'stopped',
  state: 'held',
  error: new BridgeError('answer-timeout', 'it said nothing'),
};
const again = (ambiguous: boolean): Next => ({
  kind: 'again',
  dueAt: new Date(Date.now() - 60_000),
  attempts: 1,
  ambiguous,
  error: new BridgeError('busy', 'not now'),
});

/** An edition of a delivery. */
export function edition({ delivery: { id, edition: editionId } }: Work, body = 'rendered'): Edition {
  return {
    id: editionId,
    delivery: id,
    hospital: RIVERSIDE,
    key: editionId.slice(0, 20),
    body: Buffer.from(body),
    envelope: { method: 'POST' },
    facts: '{}',
    plan: 'plan-1',
  };
}

function accepted(kept: Kept | undefined): Extract<Kept, { kind: 'accepted' }> {
  if (kept?.kind !== 'accepted') throw new TypeError(`it was ${kept?.kind}`);
  return kept;
}

async function keepOne(store: Store, keeping: Keeping, more: Partial<NewDelivery> = {}): Promise<Kept> {
  const [kept] = await store.keep([keeping], oneDelivery(more));
  if (kept === undefined) throw new TypeError('nothing came back');
  return kept;
}

async function claimOne(store: Store): Promise<Work> {
  const [work] = await store.claim(OUT, [ROUTE], 1);
  if (work === undefined) throw new TypeError('nothing to claim');
  return work;
}

async function errorOf(call: Promise<unknown>): Promise<BridgeError | null> {
  return call.then(
    () => null,
    (thrown: unknown) => (thrown instanceof BridgeError ? thrown : null),
  );
}

/** Beats until the lost are taken over: a server that began a moment ago waits for everyone first. */
async function beatUntilTakenOver(member: Membership): Promise<Pulse> {
  for (;;) {
    const pulse = await member.beat(REPORT);
    if (pulse === null) throw new TypeError('declared lost');
    if (pulse.recovered.queued > 0) return pulse;
  }
}

/** Everything a store promises, whatever it is made of. */
export function describeStore(name: string, open: () => Promise<StoreWorld>): void {
  describe(`${name}: what a store promises`, function () {
    this.timeout(30_000);
    let world: StoreWorld;
    let store: Store;
    let member: Membership;

    before(async () => {
      world = await open();
    });
    after(() => world.close());
    beforeEach(async () => {
      store = await world.open();
      member = await store.join();
      await member.beat(REPORT);
    });
    afterEach(async () => {
      // What a test leaves open is ended, so that the next begins with free lanes.
      await endAll(store);
      await member.leave();
      await store.close();
    });

    describe('keeping', () => {
      it('answers a repeat as the first, and keeps it once', async () => {
        const first = arrival('{"a":1}', { id: 'same' });
        const before = await world.messages();
        const { id } = await keepOne(store, first);
        const repeat = await keepOne(store, arrival('{"a":1}', { id: 'same' }));
        expect(repeat).to.deep.equal({ kind: 'duplicate', id });
        expect(await world.messages()).to.equal(before + 1);
      });

      it('recognizes a repeat within one batch', async () => {
        const batch = [arrival('{"b":1}', { id: 'twice' }), arrival('{"b":1}', { id: 'twice' })];
        const kept = await store.keep(batch, oneDelivery());
        expect(kept.map(({ kind }) => kind)).to.deep.equal(['accepted', 'duplicate']);
      });

      it('refuses another body under a used id, and its repeat too', async () => {
        await keepOne(store, arrival('{"c":1}', { id: 'reused' }));
        const other = await keepOne(store, arrival('{"c":2}', { id: 'reused' }));
        const repeat = await keepOne(store, arrival('{"c":2}', { id: 'reused' }));
        expect(other).to.include({ kind: 'refused' });
        expect(other.kind === 'refused' && other.error.code).to.equal('id-reused');
        expect(repeat).to.include({ kind: 'refused-again', id: other.id });
        expect(await keepOne(store, arrival('{"c":1}', { id: 'reused' }))).to.include({ kind: 'duplicate' });
      });

      it('answers a repeat of a refused arrival with its refusal', async () => {
        const refused = new BridgeError('schema-violation', '/doctor is missing', {
          details: { pointer: '/doctor' },
        });
        const first = await keepOne(store, arrival('{"d":1}', { id: 'bad', refused }));
        const repeat = await keepOne(store, arrival('{"d":1}', { id: 'bad', refused }));
        expect(first).to.include({ kind: 'refused' });
        expect(repeat).to.include({ kind: 'refused-again', id: first.id });
        const { error } = repeat as Extract<Kept, { kind: 'refused-again' }>;
        expect([error.code, error.message, error.details]).to.deep.equal([
          'schema-violation',
          '/doctor is missing',
          { pointer: '/doctor' },
        ]);
      });

      it('takes a corrected message under the id of a refused one', async () => {
        const refused = new BridgeError('schema-violation', '/doctor is missing');
        await keepOne(store, arrival('{"e":1}', { id: 'corrected', refused }));
        expect(await keepOne(store, arrival('{"e":2}', { id: 'corrected' }))).to.include({
          kind: 'accepted',
        });
        expect(await keepOne(store, arrival('{"e":2}', { id: 'corrected' }))).to.include({
          kind: 'duplicate',
        });
      });

      for (const code of [
        'route-missing',
        'hospital-unknown',
        'type-unknown',
        'schema-violation',
        'store-rejected',
      ] as const) {
        it(`takes the same bytes that were refused as ${code} once that is corrected`, async () => {
          const refused = new BridgeError(code, 'not yet');
          const [body, id, booking] = ['{"later":1}', `later-${code}`, `B-later-${code}`];
          const first = await keepOne(store, arrival(body, { id, booking, refused }));
          const before = await world.messages();
          const again = await keepOne(store, arrival(body, { id, booking, refused }));
          expect(again).to.include({ kind: 'refused-again', id: first.id });
          expect(await world.messages()).to.equal(before);
          const taken = await keepOne(store, arrival(body, { id, booking }));
          expect(taken.kind).to.equal('accepted');
          expect((await world.deliveries(booking)).map(({ state }) => state)).to.deep.equal(['queued']);
          expect(await keepOne(store, arrival(body, { id, booking, refused }))).to.deep.equal({
            kind: 'duplicate',
            id: taken.id,
          });
        });
      }

      it('keeps the same bytes once more when they are refused for something else by now', async () => {
        const missing = new BridgeError('route-missing', 'no route');
        const wrong = new BridgeError('schema-violation', '/doctor is missing');
        const first = await keepOne(store, arrival('{"other":1}', { id: 'other', refused: missing }));
        const other = await keepOne(store, arrival('{"other":1}', { id: 'other', refused: wrong }));
        expect(other).to.include({ kind: 'refused', error: wrong });
        expect(other.id).to.not.equal(first.id);
        const again = await keepOne(store, arrival('{"other":1}', { id: 'other', refused: wrong }));
        expect(again).to.include({ kind: 'refused-again', id: other.id });
      });

      it('does not ask again about bytes that are refused for themselves', async () => {
        const refused = new BridgeError('body-unreadable', 'no JSON');
        const first = await keepOne(store, arrival('{"self":1}', { id: 'self', refused }));
        expect(await keepOne(store, arrival('{"self":1}', { id: 'self' }))).to.include({
          kind: 'refused-again',
          id: first.id,
        });
      });

      it('shows every arrival of a batch the booking as the one before left it', async () => {
        const seen: (number | null)[] = [];
        const batch = ['1', '2', '3'].map((body) => arrival(`{"f":${body}}`, { booking: 'B-folded' }));
        await store.keep(batch, (keeping, booking) => {
          seen.push(booking?.version ?? null);
          return { ...oneDelivery()(keeping), step: stepOf(booking, keeping, `state-${seen.length}`) };
        });
        expect(seen).to.deep.equal([null, 1, 2]);
        const last: (string | undefined)[] = [];
        await store.keep([arrival('{"f":4}', { booking: 'B-folded' })], (keeping, booking) => {
          last.push(booking?.state, booking?.context.hospitalRef);
          return oneDelivery()(keeping);
        });
        expect(last).to.deep.equal(['state-3', 'H-2']);
      });

      it('hands over hot what is first in a free lane, and lets the rest wait', async () => {
        const batch = [1, 2].map((n) => arrival(`{"g":${n}}`, { booking: 'B-hot' }));
        const [first, second] = (await store.keep(batch, oneDelivery({ hot: true }))).map(accepted);
        expect(first?.running.size).to.equal(1);
        expect(second?.running.size).to.equal(0);
        expect((await world.deliveries('B-hot')).map(({ state }) => state)).to.deep.equal([
          'running',
          'waiting',
        ]);
      });

      it('queues what is not hot, and what has no lane', async () => {
        await keepOne(store, arrival('{"h":1}', { booking: 'B-cold' }));
        await keepOne(store, arrival('{"h":2}', { booking: null }));
        await keepOne(store, arrival('{"h":3}', { booking: null }));
        const rows = [...(await world.deliveries('B-cold')), ...(await world.deliveries(null))];
        expect(rows.map(({ state, head }) => [state, head])).to.deep.equal([
          ['queued', true],
          ['queued', false],
          ['queued', false],
        ]);
      });

      it('refuses a message whose lane was not named, and keeps its bytes', async () => {
        const keeping = { ...arrival('{"i":1}', { booking: 'B-lane' }), lanes: [] };
        const kept = await keepOne(store, keeping);
        expect(kept.kind === 'refused' && kept.error.code).to.equal('store-rejected');
      });

      it('keeps the others of a batch in which one cannot be decided', async () => {
        const batch = [1, 2, 3].map((n) => arrival(`{"j":${n}}`, { booking: `B-${n}` }));
        const kept = await store.keep(batch, (keeping) => {
          if (keeping === batch[1] || keeping.message.id === batch[1]?.message.id)
            throw new RangeError('a defect');
          return oneDelivery()(keeping);
        });
        expect(kept.map(({ kind }) => kind)).to.deep.equal(['accepted', 'refused', 'accepted']);
      });
    });

    describe('what it may not decide', () => {
      const newer = new BridgeError('store-outdated', 'a booking is waitlisted');
      const tooNew = () => {
        throw newer;
      };

      it('keeps nothing of a batch that needs a newer version, so that its sender asks elsewhere', async () => {
        const batch = [1, 2].map((n) => arrival(`{"newer":${n}}`, { booking: `B-newer${n}` }));
        const before = await world.messages();
        const error = await errorOf(
          store.keep(batch, (keeping) =>
            keeping.message.id === batch[1]?.message.id ? tooNew() : oneDelivery()(keeping),
          ),
        );
        expect([error?.code, error?.cause]).to.deep.equal(['store-unavailable', newer]);
        expect(await world.messages()).to.equal(before);
        expect((await keepOne(store, batch[1] as Keeping)).kind).to.equal('accepted');
      });

      it('settles nothing by an answer that needs a newer version', async () => {
        await keepOne(store, arrival('{"newer":3}', { booking: 'B-newer3' }));
        const work = await claimOne(store);
        const error = await errorOf(store.settle([settlement(work, DELIVERED)], tooNew));
        expect([error?.code, error?.cause]).to.deep.equal(['store-unavailable', newer]);
        expect((await world.deliveries('B-newer3')).map(({ state }) => state)).to.deep.equal(['running']);
      });

      it('never keeps a deadline as refused: it is told again', async () => {
        const { message, ...rest } = arrival('{}', { id: 'B-timer@1', booking: 'B-timer' });
        const deadline = { ...rest, message: { ...message, channel: TIMER } };
        const before = await world.messages();
        const telling = store.keep([deadline], () => {
          throw new RangeError('a defect');
        });
        expect(await telling.then(() => 'kept').catch(() => 'rejected')).to.equal('rejected');
        expect(await world.messages()).to.equal(before);
        expect((await keepOne(store, deadline)).kind).to.equal('accepted');
      });
    });

    describe('claiming and settling', () => {
      it('gives the message, its booking and the count of tries', async () => {
        const keeping = arrival('{"k":1}', { booking: 'B-claim' });
        await store.keep([keeping], (one, booking) => ({
          ...oneDelivery()(one),
          step: stepOf(booking, one, 'requested'),
        }));
        const work = await claimOne(store);
        expect(work.message).to.deep.equal(keeping.message);
        expect(work.booking).to.include({ reference: 'B-claim', state: 'requested', version: 1 });
        expect([work.delivery.tries, work.delivery.attempts, work.edition, work.lastSentAt]).to.deep.equal([
          1,
          0,
          null,
          null,
        ]);
      });

      it('claims only for the routes named, and at most so many', async () => {
        await keepOne(store, arrival('{"l":1}', { booking: 'B-a' }), { route: 'other' as RouteName });
        await keepOne(store, arrival('{"l":2}', { booking: 'B-b' }));
        await keepOne(store, arrival('{"l":3}', { booking: 'B-c' }));
        expect(await store.claim(OUT, [ROUTE], 1)).to.have.length(1);
        expect(await store.claim(OUT, [ROUTE], 5)).to.have.length(1);
        expect(await store.claim(OUT, ['other' as RouteName], 5)).to.have.length(1);
        expect(await store.claim('elsewhere' as ChannelName, [ROUTE], 5)).to.have.length(0);
      });

      it('claims what has strayed: due for long, on a route that nobody has', async () => {
        await keepOne(store, arrival('{"s":1}', { booking: 'B-s' }), { route: 'gone' as RouteName });
        await keepOne(store, arrival('{"s":2}', { booking: 'B-t' }));
        expect(await store.claimStrayed([ROUTE], 3_600_000, 5), 'not due for an hour').to.have.length(0);
        const strayed = await store.claimStrayed([ROUTE], 0, 5);
        expect(strayed.map(({ delivery }) => delivery.route)).to.deep.equal(['gone']);
      });

      it('hands the next of the lane over with its body and the booking after this settle', async () => {
        const batch = [1, 2, 3].map((n) => arrival(`{"m":${n}}`, { booking: 'B-next' }));
        await store.keep(batch, (one, booking) =>
          booking === null
            ? { ...oneDelivery({ hot: false })(one), step: stepOf(null, one, 'requested') }
            : oneDelivery()(one),
        );
        const work = await claimOne(store);
        const answer = arrival('{"answer":1}', { booking: 'B-next' });
        const [settled] = await store.settle([settlement(work, DELIVERED)], (_one, booking) => ({
          messages: [
            { message: answer.message, search: [], booking: 'B-next', deliveries: [], refused: null },
          ],
          step: stepOf(booking, answer, 'placed'),
        }));
        if (settled?.kind !== 'settled' || settled.promoted === null)
          throw new TypeError('nothing was promoted');
        expect(Buffer.from(settled.promoted.message.body).toString()).to.equal('{"m":2}');
        expect(settled.promoted.booking).to.include({ state: 'placed', version: 2 });
        expect(settled.promoted.delivery.tries).to.equal(1);
        expect((await world.deliveries('B-next')).map(({ state }) => state)).to.deep.equal([
          'running',
          'waiting',
        ]);
      });

      it('queues the next of the lane when there is no slot for it', async () => {
        await store.keep(
          [1, 2].map((n) => arrival(`{"n":${n}}`, { booking: 'B-slot' })),
          oneDelivery(),
        );
        const work = await claimOne(store);
        const [settled] = await store.settle([settlement(work, DELIVERED, { promoteHot: false })], nothing);
        expect(settled).to.include({ kind: 'settled', promoted: null });
        expect((await world.deliveries('B-slot')).map(({ state, head }) => [state, head])).to.deep.equal([
          ['queued', true],
        ]);
      });

      it('lets who waits go before what the settle itself adds to the lane', async () => {
        await store.keep(
          [1, 2].map((n) => arrival(`{"o":${n}}`, { booking: 'B-order' })),
          oneDelivery(),
        );
        const work = await claimOne(store);
        const answer = arrival('{"answer":2}', { booking: 'B-order' });
        const added = delivery('B-order', { hot: true });
        const [settled] = await store.settle([settlement(work, DELIVERED, { lanes: answer.lanes })], () => ({
          messages: [
            { message: answer.message, search: [], booking: 'B-order', deliveries: [added], refused: null },
          ],
          step: null,
        }));
        if (settled?.kind !== 'settled') throw new TypeError('not settled');
        expect(settled.running.size).to.equal(0);
        expect(Buffer.from(settled.promoted?.message.body ?? []).toString()).to.equal('{"o":2}');
      });

      it('starts what a settle adds to a free lane hot', async () => {
        await keepOne(store, arrival('{"p":1}', { booking: 'B-free' }));
        const work = await claimOne(store);
        const answer = arrival('{"answer":3}', { booking: 'B-free' });
        const added = delivery('B-free', { hot: true });
        const [settled] = await store.settle([settlement(work, DELIVERED)], () => ({
          messages: [
            { message: answer.message, search: [], booking: 'B-free', deliveries: [added], refused: null },
          ],
          step: null,
        }));
        expect(settled?.kind === 'settled' && [...settled.running]).to.deep.equal([added.id]);
      });

      it('queues again with what is known of the sends so far', async () => {
        await keepOne(store, arrival('{"q":1}', { booking: 'B-again' }));
        const work = await claimOne(store);
        await store.writeEditions([edition(work)]);
        const sent = attempt(work);
        await store.settle([settlement(work, again(true), { attempt: sent })], nothing);
        const second = await claimOne(store);
        expect(second.delivery).to.include({
          tries: 2,
          attempts: 1,
          ambiguous: true,
          edition: work.delivery.edition,
        });
        expect(second.lastSentAt).to.deep.equal(sent.startedAt);
        expect(second.edition).to.deep.include({ key: edition(work).key, envelope: { method: 'POST' } });
        expect(Buffer.from(second.edition?.body ?? []).toString()).to.equal('rendered');
      });

      it('does not hand out before it is due', async () => {
        await keepOne(store, arrival('{"r":1}', { booking: 'B-due' }));
        const work = await claimOne(store);
        const later: Next = { ...again(false), dueAt: new Date(Date.now() + 3_600_000) } as Next;
        await store.settle([settlement(work, later)], nothing);
        expect(await store.claim(OUT, [ROUTE], 1)).to.have.length(0);
      });

      for (const [word, next] of [
        ['held', held],
        ['dead', dead],
      ] as const) {
        it(`keeps the lane behind a ${word} delivery until a person decides`, async () => {
          await store.keep(
            [1, 2].map((n) => arrival(`{"s":${n}}`, { booking: `B-${word}` })),
            oneDelivery(),
          );
          const work = await claimOne(store);
          await store.settle([settlement(work, next)], nothing);
          expect(await store.claim(OUT, [ROUTE], 5)).to.have.length(0);
          const audit = { by: 'layla', action: 'delivered', reason: 'seen in the calendar' };
          const [settled] = await store.settle(
            [settlement(work, DELIVERED, { fence: 'stopped', audit })],
            nothing,
          );
          expect(settled?.kind === 'settled' && settled.promoted?.delivery.tries).to.equal(1);
        });
      }

      it('lets the lane pass a dead delivery where the route says continue', async () => {
        await store.keep(
          [1, 2].map((n) => arrival(`{"t":${n}}`, { booking: 'B-continue' })),
          oneDelivery(),
        );
        const work = await claimOne(store);
        const [settled] = await store.settle([settlement(work, dead, { onDead: 'continue' })], nothing);
        expect(
          settled?.kind === 'settled' && Buffer.from(settled.promoted?.message.body ?? []).toString(),
        ).to.equal('{"t":2}');
        expect((await world.deliveries('B-continue')).map(({ state, head }) => [state, head])).to.deep.equal([
          ['dead', false],
          ['running', true],
        ]);
      });

      it('changes nothing for who does not own the delivery any more', async () => {
        await keepOne(store, arrival('{"u":1}', { booking: 'B-fence' }));
        const work = await claimOne(store);
        await store.release([work.delivery.id]);
        const before = await world.messages();
        const answer = arrival('{"answer":4}', { booking: 'B-fence' });
        const settled = await store.settle([settlement(work, DELIVERED)], () => oneDelivery()(answer));
        expect(settled).to.deep.equal([{ kind: 'fenced' }]);
        expect(await world.messages()).to.equal(before);
        expect((await world.deliveries('B-fence')).map(({ state }) => state)).to.deep.equal(['queued']);
      });

      it('changes nothing by what an earlier taking came to, though the same instance has it again', async () => {
        await keepOne(store, arrival('{"u":2}', { booking: 'B-again' }));
        const first = await claimOne(store);
        await store.writeEditions([edition(first)]);
        await store.release([first.delivery.id]);
        const second = await claimOne(store);
        expect(second.delivery.ambiguous).to.equal(true);
        expect(await store.settle([settlement(first, again(false))], nothing)).to.deep.equal([
          { kind: 'fenced' },
        ]);
        const settled = await store.settle([settlement(second, DELIVERED)], nothing);
        expect(settled.map(({ kind }) => kind)).to.deep.equal(['settled']);
      });

      it('settles one delivery once in a batch', async () => {
        await keepOne(store, arrival('{"v":1}', { booking: 'B-once' }));
        const work = await claimOne(store);
        const settled = await store.settle(
          [settlement(work, DELIVERED), settlement(work, DELIVERED)],
          nothing,
        );
        expect(settled.map(({ kind }) => kind)).to.deep.equal(['settled', 'fenced']);
      });

      it('ends a delivery by its verdict even when nothing can follow from the answer', async () => {
        await keepOne(store, arrival('{"w":1}', { booking: 'B-plain' }));
        const work = await claimOne(store);
        const settled = await store.settle([settlement(work, DELIVERED)], () => {
          throw new RangeError('a defect');
        });
        const [message] = settled[0]?.kind === 'settled' ? settled[0].consequences.messages : [];
        expect(message?.refused?.code).to.equal('store-rejected');
        expect(Buffer.from(message?.message.body ?? []).toString()).to.equal('{"ok":true}');
        expect(await world.deliveries('B-plain')).to.deep.equal([]);
      });
    });

    describe('editions', () => {
      it('are put on disk only for deliveries that are ours', async () => {
        await store.keep(
          [1, 2].map((n) => arrival(`{"x":${n}}`, { booking: `B-e${n}` })),
          oneDelivery(),
        );
        const [mine, lost] = await store.claim(OUT, [ROUTE], 2);
        if (mine === undefined || lost === undefined) throw new TypeError('two were to be claimed');
        await store.release([lost.delivery.id]);
        expect(await store.writeEditions([edition(lost), edition(mine)])).to.deep.equal([false, true]);
      });

      it('keep the bytes they had first', async () => {
        await keepOne(store, arrival('{"y":1}', { booking: 'B-bytes' }));
        const work = await claimOne(store);
        await store.writeEditions([edition(work, 'first')]);
        expect(await store.writeEditions([edition(work, 'second')])).to.deep.equal([true]);
        await store.settle([settlement(work, again(false))], nothing);
        const second = await claimOne(store);
        expect(Buffer.from(second.edition?.body ?? []).toString()).to.equal('first');
      });
    });

    describe('instances', () => {
      it('take over what a crashed one had: certain where nothing was sent, uncertain where it may have been', async () => {
        const other = await world.open();
        await (await other.join()).beat(REPORT);
        await store.keep(
          [1, 2].map((n) => arrival(`{"z":${n}}`, { booking: `B-t${n}` })),
          oneDelivery(),
        );
        const [unsent, sent] = await other.claim(OUT, [ROUTE], 2);
        if (unsent === undefined || sent === undefined) throw new TypeError('two were to be claimed');
        await other.writeEditions([edition(sent)]);
        await world.crash(other);
        const pulse = await beatUntilTakenOver(member);
        expect(pulse.recovered).to.deep.equal({ queued: 2, ambiguous: 1 });
        expect(pulse.living).to.deep.equal([member.id]);
        const taken = await store.claim(OUT, [ROUTE], 5);
        const of = (id: DeliveryId) => taken.find((work) => work.delivery.id === id);
        expect(of(unsent.delivery.id)?.delivery).to.include({ ambiguous: false, tries: 1 });
        expect(of(sent.delivery.id)?.delivery).to.include({ ambiguous: true, tries: 2 });
        expect(of(sent.delivery.id)?.lastSentAt).to.be.instanceOf(Date);
        expect(of(sent.delivery.id)?.edition?.key).to.equal(edition(sent).key);
      });

      it('hold what shows others that they live, until they crash or leave', async () => {
        const [crashing, leaving] = [await world.open(), await world.open()];
        const [first, second] = [await crashing.join(), await leaving.join()];
        expect([first.holds(), second.holds()]).to.deep.equal([true, true]);
        await world.crash(crashing);
        await second.leave();
        expect([first.holds(), second.holds(), member.holds()]).to.deep.equal([false, false, true]);
        await leaving.close();
      });

      it('see each other, and the smallest division among them', async () => {
        const other = await world.open();
        const second = await other.join();
        await second.beat({ ...REPORT, honours: 2 });
        const pulse = await member.beat({ ...REPORT, honours: 1 });
        expect(pulse?.living).to.deep.equal([member.id, second.id]);
        expect(pulse?.honoured).to.equal(1);
        await second.leave();
        expect((await member.beat(REPORT))?.living).to.deep.equal([member.id]);
        await other.close();
      });

      it('give back what they own and do not hold', async () => {
        await store.keep(
          [1, 2].map((n) => arrival(`{"aa":${n}}`, { booking: `B-o${n}` })),
          oneDelivery(),
        );
        const works = await store.claim(OUT, [ROUTE], 2);
        const ids = works.map((work) => work.delivery.id).sort();
        expect([...(await store.owned())].sort()).to.deep.equal(ids);
        expect(await store.release(ids.slice(0, 1))).to.equal(1);
        expect(await store.owned()).to.deep.equal(ids.slice(1));
        expect(await store.claim(OUT, [ROUTE], 5)).to.have.length(1);
      });

      it('give everything back when they leave', async () => {
        const other = await world.open();
        const second = await other.join();
        await keepOne(store, arrival('{"bb":1}', { booking: 'B-leave' }));
        await claimOne(other);
        await second.leave();
        await other.close();
        expect(await store.claim(OUT, [ROUTE], 5)).to.have.length(1);
      });

      it('wake each other', async () => {
        const other = await world.open();
        const second = await other.join();
        await second.beat(REPORT);
        await member.beat(REPORT);
        const woken = new Promise<readonly ChannelName[]>((resolve) => second.onWake(resolve));
        store.wake([OUT]);
        expect(await woken).to.deep.equal([OUT]);
        await second.leave();
        await other.close();
      });

      it('hear of what their own commits left to be claimed', async () => {
        const heard: ChannelName[] = [];
        member.onWake((channels) => heard.push(...channels));
        await keepOne(store, arrival('{"cc":1}', { booking: 'B-heard' }));
        expect(heard).to.deep.equal([OUT]);
      });
    });

    it('moves a breaker only from the generation it was seen at', async () => {
      const channel = `breaker-${freshId<string>()}` as ChannelName;
      const open = opened(CLOSED, 'connection-failed', new Date(), 0.5);
      expect(await store.moveBreaker(channel, 0, open)).to.deep.equal({ moved: true, state: open });
      expect(await store.moveBreaker(channel, 0, { ...open, openings: 9 })).to.deep.equal({
        moved: false,
        state: open,
      });
      expect((await member.beat(REPORT))?.breakers.get(channel)).to.deep.equal(open);
    });

    it('wakes the bookings whose deadline has passed, the oldest first', async () => {
      const due = (minutes: number) => new Date(Date.now() + minutes * 60_000);
      for (const [reference, minutes] of [
        ['B-w1', -1],
        ['B-w2', -2],
        ['B-w3', 5],
      ] as const) {
        await store.keep([arrival(`{"dd":"${reference}"}`, { booking: reference })], (one, booking) => {
          const step = stepOf(booking, one, 'requested');
          return { ...oneDelivery()(one), step: { ...step, after: { ...step.after, wakeAt: due(minutes) } } };
        });
      }
      const woken = await store.bookingsToWake(['requested'], 10);
      expect(woken).to.deep.equal([
        { reference: 'B-w2', hospital: RIVERSIDE, version: 1 },
        { reference: 'B-w1', hospital: RIVERSIDE, version: 1 },
      ]);
      expect(await store.bookingsToWake(['confirmed'], 10), 'in a state that is not asked for').to.deep.equal(
        [],
      );
    });

    it('keeps the order of each lane with four workers and two stores whose clocks are 10 s apart', async () => {
      const late = await world.open(-10_000);
      const lateMember = await late.join();
      const lanes = ['B-r1', 'B-r2', 'B-r3', 'B-r4', 'B-r5'];
      const rounds = 12;
      for (let n = 0; n < rounds; n += 1) {
        const keeper = n % 2 === 0 ? store : late;
        await keeper.keep(
          lanes.map((booking) => arrival(`{"n":${n}}`, { booking })),
          oneDelivery(),
        );
      }
      const seen = new Map<string, number[]>();
      const busy = new Set<string>();
      const work = async (worker: Store) => {
        for (let idle = 0; idle < 3; ) {
          const claimed = await worker.claim(OUT, [ROUTE], 2);
          idle = claimed.length === 0 ? idle + 1 : 0;
          for (const first of claimed) {
            for (let next: Work | null = first; next !== null; )
              next = await sendAndSettle(worker, next, seen, busy);
          }
        }
      };
      await Promise.all([work(store), work(late), work(store), work(late)]);
      await work(store);
      const inOrder = Array.from({ length: rounds }, (_, n) => n);
      for (const booking of lanes) expect(seen.get(booking), booking).to.deep.equal(inOrder);
      await lateMember.leave();
      await late.close();
    });
  });
}

async function sendAndSettle(
  worker: Store,
  work: Work,
  seen: Map<string, number[]>,
  busy: Set<string>,
): Promise<Work | null> {
  const lane = work.bookingRef ?? '-';
  expect(busy.has(lane), `two at once in ${lane}`).to.equal(false);
  busy.add(lane);
  const { n } = JSON.parse(Buffer.from(work.message.body).toString()) as { n: number };
  seen.set(lane, [...(seen.get(lane) ?? []), n]);
  await worker.writeEditions([edition(work)]);
  busy.delete(lane);
  const [settled] = await worker.settle([settlement(work, DELIVERED, { promoteHot: n % 3 === 0 })], nothing);
  return settled?.kind === 'settled' ? settled.promoted : null;
}

/** Ends every open delivery, whatever its state. */
async function endAll(store: Store): Promise<void> {
  const owned = await store.owned();
  await store.release(owned);
  for (;;) {
    const works = await store.claim(OUT, [ROUTE, 'other' as RouteName], 100);
    if (works.length === 0) return;
    await store.settle(
      works.map((work) => settlement(work, DELIVERED, { promoteHot: false })),
      nothing,
    );
  }
}
