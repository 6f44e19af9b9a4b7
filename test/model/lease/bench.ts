import { expect } from 'chai';
import type { ChannelName, DeliveryId } from '../../../engine/message.ts';
import type { Membership, Store, Work } from '../../../engine/store.ts';
import { arrival, delivery, freshId, ROUTE } from '../../support/store-conformance.ts';
import { workOf } from '../lane/bench.ts';
import type { World } from '../worlds.ts';
import type { Living, Member } from './rule.ts';

/** A process with a store, which may be an instance. */
export interface Seat {
  store: Store;
  membership: Membership | null;
  /** The same instance by the rule; also one that has left. */
  member: Member | null;
}

/** Some processes over one set of tables, and all work that was ever handed out. */
export class Bench {
  readonly world: World;
  readonly channel = `out-${freshId<string>()}` as ChannelName;
  readonly seats: (Seat | null)[];
  readonly works = new Map<DeliveryId, Work>();
  readonly #ids = new Map<number, string>();

  constructor(world: World, seats: number) {
    this.world = world;
    this.seats = Array.from({ length: seats }, () => null);
  }

  /** Sits down, at a new store where the process of the old one has ended, and joins. */
  async join(at: number, member: Member): Promise<void> {
    const store = this.seats[at]?.store ?? (await this.world.open());
    const membership = await store.join();
    this.#ids.set(member.number, membership.id);
    this.seats[at] = { store, membership, member };
  }

  async crash(at: number): Promise<void> {
    const { store, membership } = this.seats[at]!;
    this.seats[at] = null;
    await this.world.crash(store);
    expect(membership?.holds() ?? false, 'holds what shows that it lives').to.equal(false);
    await this.world.gone(membership?.id ?? '-');
  }

  async keep(at: number, hot: boolean): Promise<{ readonly id: DeliveryId; readonly running: boolean }> {
    const keeping = arrival('{}', { booking: freshId<string>() });
    const added = delivery(keeping.booking, { channel: this.channel, hot });
    const { message, search, booking } = keeping;
    const [kept] = await this.seats[at]!.store.keep([keeping], () => ({
      messages: [{ message, search, booking, refused: null, deliveries: [added] }],
      step: null,
    }));
    if (kept?.kind !== 'accepted') throw new TypeError(`it was ${kept?.kind}`);
    this.works.set(added.id, workOf(keeping, added));
    return { id: added.id, running: kept.running.has(added.id) };
  }

  async claim(at: number, limit: number): Promise<readonly Work[]> {
    const works = await this.seats[at]!.store.claim(this.channel, [ROUTE], limit);
    for (const work of works) this.works.set(work.delivery.id, work);
    return works;
  }

  numbersOf(ids: readonly string[]): readonly (number | undefined)[] {
    const numbers = new Map([...this.#ids].map(([number, id]) => [id, number]));
    return ids.map((id) => numbers.get(id));
  }

  /** Whose every delivery is, and what is known of it, is as the rule has it. */
  async expectAsIn(model: Living): Promise<void> {
    const rows = await this.world.deliveries(this.channel);
    expect(
      rows.map(({ id, state, owner, tries, ambiguous }) => ({ id, state, owner, tries, ambiguous })),
    ).to.deep.equal(
      model.lanes.open.map(({ id, state, owner, tries, ambiguous }) => {
        return { id, state, owner: owner === null ? null : this.#ids.get(owner), tries, ambiguous };
      }),
    );
    for (const seat of this.seats) {
      if (seat?.member?.isListed) expect(seat.membership?.holds(), 'holds its lock').to.equal(true);
    }
  }

  async close(): Promise<void> {
    for (const seat of this.seats) if (seat !== null) await this.world.crash(seat.store);
    await this.world.sweep();
  }
}
