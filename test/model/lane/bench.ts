import { expect } from 'chai';
import type { ChannelName, DeliveryId } from '../../../engine/message.ts';
import type { Consequences, Keeping, NewDelivery, Settlement, Store, Work } from '../../../engine/store.ts';
import { arrival, delivery, digest, freshId, settlement } from '../../support/store-conformance.ts';
import type { World } from '../worlds.ts';
import { nextOf } from './next.ts';
import type { Lanes, Place, Standing } from './rule.ts';

const nothing = (): Consequences => ({ messages: [], step: null });

/** The stores under test, each joined; every run has a channel and bookings of its own. */
export class Bench {
  readonly world: World;
  readonly stores: readonly Store[];
  readonly #members: readonly string[];
  #run = '';

  private constructor(world: World, stores: readonly Store[], members: readonly string[]) {
    this.world = world;
    this.stores = stores;
    this.#members = members;
  }

  static async over(world: World, workers: number): Promise<Bench> {
    const stores: Store[] = [];
    const members: string[] = [];
    for (let n = 0; n < workers; n += 1) {
      const store = await world.open();
      members.push((await store.join()).id);
      stores.push(store);
    }
    return new Bench(world, stores, members);
  }

  /** Everything from now on happens where nothing happened before. */
  anew(): this {
    this.#run = freshId<string>();
    return this;
  }

  get channel(): ChannelName {
    return `out-${this.#run}` as ChannelName;
  }

  store(worker: number): Store {
    return this.stores[worker]!;
  }

  booking(lane: number | null): string | null {
    return lane === null ? null : `${this.#run}-${lane}`;
  }

  arrival(lane: number | null): Keeping {
    return arrival('{}', { booking: this.booking(lane) });
  }

  /** What follows from a message: one delivery, in its lane. */
  oneDelivery({ message, search, booking }: Keeping, hot: boolean): Consequences {
    const added = delivery(booking, { channel: this.channel, hot });
    return { messages: [{ message, search, booking, refused: null, deliveries: [added] }], step: null };
  }

  /** The settlement that puts a delivery where it stands now. */
  settlement(
    place: Place,
    work: Work,
    standing: Standing,
    more: Partial<Settlement>,
  ): { readonly settlement: Settlement; readonly nothing: () => Consequences } {
    const { tries, ambiguous } = place;
    const now = { ...work, delivery: { ...work.delivery, tries, ambiguous } };
    return { settlement: settlement(now, nextOf(standing), more), nothing };
  }

  lanesOf(lane: number | null): Settlement['lanes'] {
    const booking = this.booking(lane);
    return booking === null ? [] : [digest.lane(booking)];
  }

  /** Every open delivery is as the rule has it, in the order of keeping. */
  async expectAsIn(lanes: Lanes): Promise<void> {
    const rows = await this.world.deliveries(this.channel);
    const found = rows.map(({ id, state, head, owner, tries, ambiguous }) => {
      return { id, state, head, owner, tries, ambiguous };
    });
    const wanted = lanes.open.map(({ id, state, head, owner, tries, ambiguous }) => {
      return { id, state, head, owner: owner === null ? null : this.#members[owner], tries, ambiguous };
    });
    expect(found).to.deep.equal(wanted);
  }
}

/** A delivery that began running as it was kept, as work. */
export function workOf(keeping: Keeping, added: NewDelivery): Work {
  const { message, booking } = keeping;
  const { id, route, channel, lane, edition, giveUpAt } = added;
  const none = { attempts: 0, ambiguous: false, tries: 1 };
  const of = { message: message.id, hospital: message.hospital, keptAt: message.receivedAt };
  return {
    delivery: { id, route, channel, lane, edition, giveUpAt, ...none, ...of },
    message,
    bookingRef: booking,
    booking: null,
    edition: null,
    lastSentAt: null,
  };
}

/** The ids of what was handed out. */
export const idsOf = (works: readonly Work[]): readonly DeliveryId[] => works.map((work) => work.delivery.id);
