import type { Answer, ChannelKind, InboundChannel, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { DeliveryId, MessageId } from '../../engine/message.ts';
import type { Random } from '../../engine/random.ts';
import type { Store } from '../../engine/store.ts';

/** The parts of an engine in which a mistake can be planted, whatever the wiring. */
export interface Wiring {
  readonly store: Store;
  readonly kinds: readonly ChannelKind[];
  readonly random: Random;
  readonly depths: Depths;
}

/** What lies beneath the store and is reached by each wiring in its own way. */
export interface Depths {
  /** From now on the next of a lane is the one with the lowest id. */
  laneById(): void;
  /** Makes these running or queued deliveries that instance's own, whoever has them. */
  own(deliveries: readonly DeliveryId[], instance: string | null): Promise<void>;
  /** The row of a delivery vanishes. */
  drop(delivery: DeliveryId): Promise<void>;
}

/** A planted mistake: small, plausible, and such that the suite must go red. */
export interface Canary {
  /** What the engine does wrong. */
  readonly mistake: string;
  readonly plant: (wiring: Wiring) => Wiring;
}

const CONFIRMED: Answer = {
  signals: ['confirmed'],
  otherwise: null,
  retryAfterMs: null,
  summary: 'the broker confirmed it',
  body: new Uint8Array(),
};

/** How many of the rows that are promised vanish. */
const VANISHES = 0.02;

/** One mistake for each promise. A harness that does not find one of them proves nothing about it. */
export const CANARIES = {
  'ignored-returns': {
    mistake: 'the publisher takes what the broker gave back for taken',
    plant: (wiring) =>
      sending(wiring, (send) => async (parcel, signal) => {
        try {
          return await send(parcel, signal);
        } catch (thrown) {
          if (thrown instanceof BridgeError && thrown.code === 'unroutable') return CONFIRMED;
          throw thrown;
        }
      }),
  },
  'ack-before-commit': {
    mistake: 'a sender is answered before the store has what it sent',
    plant: (wiring) =>
      receiving(wiring, (accept) => (arrival) => {
        void accept(arrival).catch(() => undefined);
        return Promise.resolve({ kind: 'accepted', id: uuid(wiring.random) as MessageId });
      }),
  },
  'send-before-edition': {
    mistake: 'the edition is put on disk beside the send, not before it',
    plant: ({ store, ...rest }) => ({
      ...rest,
      store: over(store, {
        writeEditions(batch) {
          void store.writeEditions(batch).catch(() => undefined);
          return Promise.resolve(batch.map(() => true));
        },
      }),
    }),
  },
  'no-dedupe': {
    mistake: 'a repeat is not recognized by its id',
    plant: ({ store, ...rest }) => ({
      ...rest,
      store: over(store, {
        keep: (batch, decide) =>
          store.keep(
            batch.map((keeping) => ({ ...keeping, dedupe: Buffer.from(rest.random.bytes(16)) })),
            decide,
          ),
      }),
    }),
  },
  'lane-by-id': {
    mistake: 'the next of a lane is chosen by its id, not by the order of keeping',
    plant: (wiring) => {
      wiring.depths.laneById();
      return wiring;
    },
  },
  'settle-without-owner': {
    mistake: 'an attempt is recorded without a look at who owns the delivery now',
    plant: ({ store, ...rest }) => {
      let me: string | null = null;
      return {
        ...rest,
        store: over(store, {
          async join() {
            const membership = await store.join();
            me = membership.id;
            return membership;
          },
          async settle(batch, decide) {
            const owned = batch.filter(({ fence }) => fence === 'owned').map(({ delivery }) => delivery.id);
            await rest.depths.own(owned, me);
            return store.settle(batch, decide);
          },
        }),
      };
    },
  },
  'key-per-attempt': {
    mistake: 'every attempt has a key of its own',
    plant: (wiring) =>
      sending(wiring, (send) => (parcel, signal) => {
        const key = uuid(wiring.random).replaceAll('-', '').slice(0, 20).toUpperCase();
        return send({ ...parcel, key }, signal);
      }),
  },
  'ledger-row-deleted': {
    mistake: 'now and then the row of a delivery vanishes',
    plant: ({ store, ...rest }) => ({
      ...rest,
      store: over(store, {
        async keep(batch, decide) {
          const kept = await store.keep(batch, decide);
          const waiting = kept.flatMap((one) =>
            one.kind === 'accepted'
              ? one.consequences.messages
                  .flatMap(({ deliveries }) => deliveries.map(({ id }) => id))
                  .filter((id) => !one.running.has(id))
              : [],
          );
          for (const id of waiting) if (rest.random.fraction() < VANISHES) await rest.depths.drop(id);
          return kept;
        },
      }),
    }),
  },
} as const satisfies Readonly<Record<string, Canary>>;

export type CanaryName = keyof typeof CANARIES;

/** The canary that the environment names by CANARY; null when it names none. Throws for one that is not there. */
export function canaryOf(env: Readonly<Record<string, string | undefined>>): CanaryName | null {
  const name = env['CANARY'];
  if (name === undefined || name === '') return null;
  if (!Object.hasOwn(CANARIES, name))
    throw new RangeError(`CANARY is one of ${Object.keys(CANARIES).join(', ')}`);
  return name as CanaryName;
}

type Send = OutboundChannel['send'];
type Accept = Parameters<InboundChannel['start']>[0];

/** The wiring with every outbound channel sending otherwise. */
function sending(wiring: Wiring, otherwise: (send: Send) => Send): Wiring {
  const kinds = wiring.kinds.map(({ outbound, ...kind }): ChannelKind => {
    if (outbound === undefined) return kind;
    const create: typeof outbound.create = (name, options, context) => {
      const channel = outbound.create(name, options, context);
      const send = otherwise((parcel: Parcel, signal: AbortSignal) => channel.send(parcel, signal));
      return { name, start: () => channel.start(), stop: () => channel.stop(), send };
    };
    return { ...kind, outbound: { ...outbound, create } };
  });
  return { ...wiring, kinds };
}

/** The wiring with every inbound channel handing over otherwise. */
function receiving(wiring: Wiring, otherwise: (accept: Accept) => Accept): Wiring {
  const kinds = wiring.kinds.map(({ inbound, ...kind }): ChannelKind => {
    if (inbound === undefined) return kind;
    const create: typeof inbound.create = (name, options, context) => {
      const channel = inbound.create(name, options, context);
      return { name, start: (accept) => channel.start(otherwise(accept)), stop: () => channel.stop() };
    };
    return { ...kind, inbound: { ...inbound, create } };
  });
  return { ...wiring, kinds };
}

/** The store, with some of its methods replaced. */
function over(store: Store, replaced: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const found: unknown = Reflect.get(name in replaced ? replaced : target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

function uuid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
