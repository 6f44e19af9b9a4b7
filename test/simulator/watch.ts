import type { Booking, Desk } from '../../engine/booking.ts';
import type { Arrival, Parcel, Receipt } from '../../engine/channel.ts';
import type { ChannelName, DeliveryId, EditionId } from '../../engine/message.ts';
import type { MemoryTables } from '../../engine/store/memory.ts';
import type { Edition, Settlement } from '../../engine/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';

/** What must never be, by name. */
export type Broken =
  | 'sent before its edition was kept'
  | 'bytes of an edition changed'
  | 'key of an edition changed'
  | 'sent what another owns'
  | 'two sends under way in a lane'
  | 'more in flight than the hospital bears'
  | 'sent out of order'
  | 'two heads in a lane'
  | 'a lane without a head'
  | 'states that contradict'
  | 'settled by another than its owner'
  | 'acknowledged and not kept'
  | 'kept otherwise than it came'
  | 'a booking skipped a version'
  | 'a booking took an illegal step'
  | 'promised deliveries missing'
  | 'a defect'
  | 'never came to rest'
  | 'a stop never ended'
  | 'stopped without a reason'
  | 'lost'
  | 'done twice'
  | 'done out of order'
  | 'done unasked'
  | 'told falsely';

/** One thing that must never be, and was. */
export class Breach extends Error {
  readonly broken: Broken;

  constructor(broken: Broken, detail: string) {
    super(`${broken}: ${detail}`);
    this.broken = broken;
  }
}

/** Who sends, as far as the watch must know it. */
export interface Sender {
  readonly name: string;
  readonly isDead: boolean;
  /** The instance it acts for. */
  readonly me: string | null;
  /** Its lock is free and it cannot know. */
  readonly isBlind: boolean;
}

interface Send {
  readonly sender: Sender;
  readonly instance: string | null;
  readonly delivery: DeliveryId;
  readonly channel: ChannelName;
  readonly lane: string | null;
}

export interface WatchParts {
  readonly tables: MemoryTables;
  readonly desk: Desk;
  /** The most any instance believes that a channel bears. */
  readonly bears: (channel: ChannelName) => number;
  /** Hears of a breach, whoever catches what is thrown with it. */
  readonly onBreach: (breach: Breach) => void;
}

/** Looks on all along, with eyes that no part of the engine has. */
export class Watch {
  readonly #tables: MemoryTables;
  readonly #desk: Desk;
  readonly #bears: WatchParts['bears'];
  readonly #onBreach: WatchParts['onBreach'];
  readonly #byKey = new Map<string, Edition>();
  readonly #firstBytes = new Map<EditionId, string>();
  readonly #underWay = new Set<Send>();
  readonly #lastSent = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  readonly #bookings = new Map<string, Booking>();
  readonly #owners = new Map<DeliveryId, string | null>();
  #editions = 0;
  #steps = 0;

  constructor({ tables, desk, bears, onBreach }: WatchParts) {
    this.#tables = tables;
    this.#desk = desk;
    this.#bears = bears;
    this.#onBreach = onBreach;
  }

  /** What was seen to happen, and how often: a history in which nothing goes wrong proves nothing. */
  get seen(): ReadonlyMap<string, number> {
    return this.#seen;
  }

  saw(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }

  heard(who: string, event: EngineEvent): void {
    this.saw(event.kind);
    switch (event.kind) {
      case 'defect':
        this.#breach('a defect', `${who}: ${event.where}: ${event.detail}`);
        return;
      case 'ledger-differs':
        this.#breach('promised deliveries missing', event.messages.join(' '));
        return;
      case 'instance-took-over':
        if (event.ambiguous > 0) this.saw('took over what may have been sent');
        return;
      case 'delivery-settled':
        this.saw(`settled as ${event.state}`);
        return;
      case 'breaker-moved':
        this.saw(`breaker ${event.to}`);
        return;
      case 'message-refused':
        this.saw(`refused ${event.error}`);
        return;
      default:
    }
  }

  /** A parcel is about to leave. Returns what is to be called when the sender knows what came of it. */
  sends(sender: Sender, channel: ChannelName, parcel: Parcel, isQuestion: boolean): () => void {
    const edition = this.#byKey.get(parcel.key);
    if (edition === undefined) throw this.#unknown(channel, parcel);
    if (!isQuestion) this.#sameBytes(edition, parcel);
    const delivery = this.#tables.open.get(edition.delivery);
    const lane = delivery?.lane?.toString('hex') ?? null;
    const send = { sender, instance: sender.me, delivery: edition.delivery, channel, lane };
    if (delivery === undefined || delivery.owner !== sender.me || !this.#lives(sender.me)) {
      if (!sender.isBlind)
        throw this.#breach(
          'sent what another owns',
          `${sender.name} (${sender.me}) sent ${edition.delivery} of ${delivery?.owner} to ${channel}`,
        );
      this.saw('sent by one that could not know better');
    } else {
      this.#alone(send);
      if (!isQuestion) this.#inOrder(channel, lane, delivery.seq);
    }
    this.#underWay.add(send);
    this.#withinBounds(channel);
    return () => this.#underWay.delete(send);
  }

  /** An attempt was settled. Whose it was is what the transactions before have made of it. */
  settled({ delivery }: Settlement, by: string | null): void {
    const owner = this.#owners.get(delivery.id) ?? null;
    if (owner === null || owner !== by)
      throw this.#breach('settled by another than its owner', `${delivery.id} of ${owner} by ${by}`);
  }

  /** A sender was told that its message is ours. */
  acknowledged(arrival: Arrival, receipt: Receipt): void {
    const kept = this.#tables.messages.get(receipt.id);
    if (kept === undefined) throw this.#breach('acknowledged and not kept', receipt.id);
    if (!Buffer.from(kept.message.body).equals(arrival.body))
      throw this.#breach('kept otherwise than it came', receipt.id);
  }

  /** The tables after a transaction. */
  tables(): void {
    if (this.#tables.editions.size > this.#editions) this.#newEditions();
    if (this.#tables.steps.length > this.#steps) this.#newSteps();
    const heads = new Set<string>();
    const lanes = new Set<string>();
    for (const { id, state, owner, head, lane, channel } of this.#tables.open.values()) {
      this.#owners.set(id, owner);
      if ((state === 'running') !== (owner !== null) || (state === 'waiting' && head))
        throw this.#breach('states that contradict', `${id} is ${state}, owned by ${owner}, head: ${head}`);
      if (lane === null) continue;
      const name = `${channel} ${lane.toString('hex')}`;
      lanes.add(name);
      if (!head && state !== 'waiting')
        throw this.#breach('states that contradict', `${id} is ${state} and no head`);
      if (head && heads.has(name)) throw this.#breach('two heads in a lane', `${id} and another of ${name}`);
      if (head) heads.add(name);
    }
    for (const name of lanes) if (!heads.has(name)) throw this.#breach('a lane without a head', name);
  }

  /** At the end: every delivery that was promised is there, open or ended, and no edition was changed. */
  ledger(): void {
    const { messages, open, ended, editions } = this.#tables;
    for (const edition of editions.values())
      if (this.#firstBytes.get(edition.id) !== textOf(edition))
        throw this.#breach('bytes of an edition changed', edition.id);
    for (const { message, deliveries } of messages.values())
      for (const { id } of deliveries)
        if (!open.has(id) && !ended.has(id))
          throw this.#breach('promised deliveries missing', `${id} of ${message.type} ${message.id}`);
  }

  /** Told at once: what is thrown here may be caught by the engine. */
  #breach(broken: Broken, detail: string): Breach {
    const breach = new Breach(broken, detail);
    this.#onBreach(breach);
    return breach;
  }

  #unknown(channel: ChannelName, parcel: Parcel): Breach {
    for (const { id, body } of this.#tables.editions.values())
      if (Buffer.from(body).equals(parcel.body))
        return this.#breach('key of an edition changed', `${id} to ${channel}`);
    return this.#breach('sent before its edition was kept', `${channel} ${parcel.key}`);
  }

  #sameBytes({ id, body, key }: Edition, parcel: Parcel): void {
    if (key !== parcel.key) throw this.#breach('key of an edition changed', `${id}: ${key}, ${parcel.key}`);
    if (!Buffer.from(body).equals(parcel.body)) throw this.#breach('bytes of an edition changed', id);
  }

  #alone(send: Send): void {
    for (const other of this.#underWay) {
      if (!this.#counts(other) || other.lane === null) continue;
      if (other.channel === send.channel && other.lane === send.lane)
        throw this.#breach('two sends under way in a lane', `${other.delivery} and ${send.delivery}`);
    }
  }

  /** First sends of a lane go by `seq`; a repeat of the last one is no news. */
  #inOrder(channel: ChannelName, lane: string | null, seq: number): void {
    if (lane === null) return;
    const name = `${channel} ${lane}`;
    const last = this.#lastSent.get(name) ?? 0;
    if (seq < last) throw this.#breach('sent out of order', `${seq} after ${last} in ${name}`);
    this.#lastSent.set(name, seq);
  }

  #withinBounds(channel: ChannelName): void {
    const counted = [...this.#underWay].filter((send) => send.channel === channel && this.#counts(send));
    if (counted.length > this.#bears(channel))
      throw this.#breach(
        'more in flight than the hospital bears',
        `${channel}: ${counted.map(({ sender, delivery }) => `${delivery} by ${sender.name}`).join(', ')}`,
      );
  }

  /** Whether a send is one of the living: those of an instance that died, or that was taken over, are not counted. */
  #counts({ sender, instance, delivery }: Send): boolean {
    return !sender.isDead && this.#lives(instance) && this.#tables.open.get(delivery)?.owner === instance;
  }

  /** Whether an instance is among the living, as the others see it. */
  #lives(instance: string | null): boolean {
    return instance !== null && this.#tables.instances.has(instance);
  }

  #newEditions(): void {
    for (const edition of this.#tables.editions.values()) {
      if (this.#firstBytes.has(edition.id)) continue;
      this.#firstBytes.set(edition.id, textOf(edition));
      const other = this.#byKey.get(edition.key);
      if (other !== undefined)
        throw this.#breach('key of an edition changed', `${edition.id} and ${other.id} share one`);
      this.#byKey.set(edition.key, edition);
    }
    this.#editions = this.#tables.editions.size;
  }

  #newSteps(): void {
    const { steps } = this.#tables;
    for (; this.#steps < steps.length; this.#steps += 1) {
      const { before, after, input } = steps[this.#steps]!;
      const previous = this.#bookings.get(after.reference);
      this.#bookings.set(after.reference, after);
      if (after.version !== (previous?.version ?? 0) + 1 || before !== (previous?.state ?? null))
        throw this.#breach('a booking skipped a version', `${after.reference}: ${after.version}, ${before}`);
      const outcome = this.#desk.step(after.reference, after.hospital, previous ?? null, input);
      if (outcome.kind !== 'moved' || outcome.booking.state !== after.state)
        throw this.#breach(
          'a booking took an illegal step',
          `${after.reference}: ${before} to ${after.state}`,
        );
    }
  }
}

function textOf({ key, body }: Edition): string {
  return `${key} ${Buffer.from(body).toString('latin1')}`;
}
