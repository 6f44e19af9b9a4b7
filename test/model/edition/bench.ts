import { expect } from 'chai';
import { anAnswer, ScriptedDestination, type Step } from '../../../channels/memory/outbound.ts';
import { type Attempted, attempt } from '../../../engine/attempt.ts';
import type { Parcel as SentParcel } from '../../../engine/channel.ts';
import { type Next, next } from '../../../engine/delivery.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { DeliveryId } from '../../../engine/message.ts';
import type { Plan } from '../../../engine/plan.ts';
import type { Settled, Store, Work } from '../../../engine/store.ts';
import { Core, PROBED, UNSAFE } from '../../engine/core.ts';
import { arrival, freshId, OUT, oneDelivery, ROUTE, settlement } from '../../support/store-conformance.ts';
import type { World } from '../worlds.ts';
import type { Repeats } from './rule.ts';

/** What the hospital does with what it gets. */
export type Reply = 'yes' | 'later' | 'wrong' | 'away' | 'silent' | 'has it' | 'has it not';

const answer = (signal: string, body: object) =>
  anAnswer({ signals: [signal], body: Buffer.from(JSON.stringify(body)) });
const REPLIES: Readonly<Record<Reply, Step>> = {
  yes: answer('taken', { status: 'BOOKED' }),
  later: answer('later', {}),
  wrong: answer('nonsense', {}),
  away: new BridgeError('connection-failed', 'nobody is there'),
  silent: new BridgeError('connection-reset', 'no answer'),
  'has it': answer('taken', { found: true }),
  'has it not': answer('taken', { found: false }),
};

const CHANGES: Readonly<Record<Repeats, (routes: string) => string>> = {
  recognized: (routes) => routes,
  probe: (routes) => PROBED(routes).replace('settleAfter: 30s', 'settleAfter: 1ms'),
  unsafe: UNSAFE,
};
const UNREADABLE = (routes: string) => routes.replace('type: /type', 'type: /kind');
const rendering = (word: string) => ({ 'ask.json.yaml': `booking: "{{message.booking}}"\nword: ${word}\n` });

/** The plans of a hospital: two that render otherwise than each other, and one that cannot read what came. */
function plansOf(repeats: Repeats): readonly Plan[] {
  const core = new Core();
  const change = CHANGES[repeats];
  return [
    core.planOf(change, rendering('first')),
    core.planOf(change, rendering('second')),
    core.planOf((routes) => UNREADABLE(change(routes)), rendering('third')),
  ];
}

const PLANS = new Map<Repeats, readonly Plan[]>(
  (['recognized', 'probe', 'unsafe'] as const).map((repeats) => [repeats, plansOf(repeats)]),
);

/** Two instances that send to one hospital, by plans that differ. */
export class Bench {
  readonly world: World;
  readonly repeats: Repeats;
  readonly #stores: readonly Store[];
  readonly #far: ScriptedDestination;
  #reply: Reply = 'yes';

  constructor(world: World, stores: readonly Store[], repeats: Repeats) {
    this.world = world;
    this.repeats = repeats;
    this.#stores = stores;
    this.#far = new ScriptedDestination(OUT, () => REPLIES[this.#reply]);
  }

  store(worker: number): Store {
    return this.#stores[worker]!;
  }

  async keep(): Promise<DeliveryId> {
    const booking = freshId<string>();
    const body = JSON.stringify({ type: 'booking.requested', hospital: 'riverside', booking });
    const made = arrival(body, { booking, id: booking });
    const message = { ...made.message, headers: { 'memory.id': booking } };
    const [kept] = await this.store(0).keep([{ ...made, message }], oneDelivery());
    if (kept?.kind !== 'accepted') throw new TypeError(`it was ${kept?.kind}`);
    return kept.consequences.messages[0]!.deliveries[0]!.id;
  }

  async claim(worker: number): Promise<Work | null> {
    const [work] = await this.store(worker).claim(OUT, [ROUTE], 1);
    return work ?? null;
  }

  /** One attempt as the dispatcher makes it. Resolves with what left for the hospital meanwhile, and what came of it. */
  async attempt(
    worker: number,
    work: Work,
    {
      plan,
      reply,
      maySend,
    }: { readonly plan: number; readonly reply: Reply; readonly maySend: () => boolean },
  ): Promise<{ readonly left: readonly SentParcel[]; readonly attempted: Attempted | null }> {
    const chosen = PLANS.get(this.repeats)![plan]!;
    const before = this.#far.sent.length;
    let tried = 0;
    /** Said afterwards: what is thrown at a send is taken for the far side's. */
    const wrong: unknown[] = [];
    this.#reply = reply;
    const attempted = await attempt(work, null, {
      plan: chosen,
      outbound: chosen.outbound.get(OUT)!,
      channel: {
        name: OUT,
        start: () => Promise.resolve(),
        stop: () => Promise.resolve(),
        send: async (parcel, signal) => {
          tried += 1;
          if (!isQuestion(parcel))
            await this.#expectOnDisk(work, parcel).catch((thrown) => wrong.push(thrown));
          return this.#far.send(parcel, signal);
        },
      },
      clock: this.world.clock,
      write: async (edition) => (await this.store(worker).writeEditions([edition]))[0] ?? false,
      maySend,
    });
    if (wrong.length > 0) throw wrong[0];
    expect(tried, 'one send at most').to.be.at.most(1);
    return { left: this.#far.sent.slice(before), attempted };
  }

  async settle(
    worker: number,
    work: Work,
    attempted: Attempted,
  ): Promise<{ readonly settled: Settled; readonly next: Next }> {
    const rules = { retry: RETRY, repeats: this.repeats, settleAfterMs: 0, fraction: 0 };
    const standing = next(work.delivery, attempted.outcome, { ...rules, now: this.world.clock.now() });
    const { kind } = attempted;
    const made = settlement(work, standing);
    const of = { ...made, attempt: { ...made.attempt, kind, startedAt: new Date(0) } };
    const [settled] = await this.store(worker).settle([of], () => ({ messages: [], step: null }));
    return { settled: settled!, next: standing };
  }

  /** Nothing leaves that is not on disk, byte for byte and under its key. */
  async #expectOnDisk({ delivery }: Work, { key, body }: SentParcel): Promise<void> {
    const rows = await this.world.editions(delivery.id);
    const stored = rows.find(({ id }) => id === delivery.edition);
    expect(stored === undefined ? null : [stored.key, Buffer.from(stored.body).toString()]).to.deep.equal([
      key,
      Buffer.from(body).toString(),
    ]);
  }
}

const RETRY = { attempts: 1_000, firstMs: 0, maxMs: 0, forMs: 1e12 };

/** Whether it asks what the hospital has, and asks for nothing. */
export function isQuestion({ body }: SentParcel): boolean {
  return Buffer.from(body).toString().includes('find');
}
