import type { DeliveryId } from '../../../engine/message.ts';

/** An open delivery by the rule. */
export interface Place {
  readonly id: DeliveryId;
  /** Null: in no lane, nobody's successor. */
  readonly lane: number | null;
  state: 'waiting' | 'queued' | 'running' | 'held' | 'dead';
  head: boolean;
  /** The worker that has it. */
  owner: number | null;
  /** Queued for now, and not for later. */
  due: boolean;
  tries: number;
  ambiguous: boolean;
  /** The bytes of its edition that were put on disk first; null while there are none. */
  stored: string | null;
}

/** Where a delivery stands after an attempt, or by the word of a person. */
export type Standing = 'delivered' | 'given-up' | 'again' | 'unsure' | 'later' | 'held' | 'dead';

/**
 * Lanes as the agreement says them: one head at a time, the next in the order of keeping when it goes,
 * and whoever stands still stops its own lane alone.
 */
export class Lanes {
  open: Place[] = [];
  readonly #delivered: Place[] = [];
  readonly #order: DeliveryId[] = [];

  find(id: DeliveryId): Place {
    const place = this.open.find((one) => one.id === id);
    if (place === undefined) throw new RangeError(`no open delivery ${id}`);
    return place;
  }

  /** Adds one at the end. `hotFor` takes it at once when the lane is free. */
  keep(id: DeliveryId, lane: number | null, hotFor: number | null): Place {
    const behind = lane !== null && this.open.some((one) => one.lane === lane && one.head);
    const place: Place = {
      id,
      lane,
      state: behind ? 'waiting' : 'queued',
      head: lane !== null && !behind,
      owner: null,
      due: true,
      tries: 0,
      ambiguous: false,
      stored: null,
    };
    this.open.push(place);
    this.#order.push(id);
    if (!behind && hotFor !== null) this.take(place, hotFor);
    return place;
  }

  claimable(): readonly Place[] {
    return this.open.filter(({ state, due }) => state === 'queued' && due);
  }

  take(place: Place, worker: number): void {
    place.state = 'running';
    place.owner = worker;
    place.tries += 1;
  }

  /** Puts one where it stands now. True when it was the head of its lane and is not any more. */
  stand(place: Place, standing: Standing, passes: boolean): boolean {
    const wasHead = place.head;
    place.owner = null;
    if (standing === 'delivered' || standing === 'given-up') {
      this.open = this.open.filter((one) => one !== place);
      if (standing === 'delivered') this.#delivered.push(place);
      return wasHead;
    }
    if (standing === 'held' || standing === 'dead') {
      place.state = standing;
      place.ambiguous ||= standing === 'held';
      place.head = wasHead && !(standing === 'dead' && passes);
      return wasHead && !place.head;
    }
    place.state = 'queued';
    place.due = standing !== 'later';
    place.ambiguous = standing === 'unsure';
    return false;
  }

  /** The next of a lane without a head becomes it. */
  promote(lane: number | null, hotFor: number | null): Place | null {
    const next = this.open.find((one) => one.lane === lane && one.state === 'waiting');
    if (lane === null || next === undefined) return null;
    next.head = true;
    next.state = 'queued';
    next.due = true;
    if (hotFor !== null) this.take(next, hotFor);
    return next;
  }

  /** Taken from whoever had it. Where nothing can have been sent, the try did not take place. */
  giveBack(place: Place): void {
    place.state = 'queued';
    place.due = true;
    place.owner = null;
    if (place.stored !== null) place.ambiguous = true;
    else place.tries -= 1;
  }

  /** Whether one that was kept later has gone, or may have. */
  newerGone({ id, lane }: Place): boolean {
    const isNewer = (other: DeliveryId) => this.#order.indexOf(other) > this.#order.indexOf(id);
    return [...this.#delivered, ...this.open.filter(({ tries }) => tries > 0)].some(
      (other) => lane !== null && other.lane === lane && isNewer(other.id),
    );
  }

  /** Goes again by the word of a person; as something new when it is no repeat. */
  goAgain(place: Place, asNew: boolean): void {
    const hasHead = this.open.some((one) => one.lane === place.lane && one.head);
    const waits = place.lane !== null && !place.head && hasHead;
    place.state = waits ? 'waiting' : 'queued';
    place.head = place.lane !== null && !waits;
    place.due = true;
    place.ambiguous = false;
    if (!asNew) return;
    place.tries = 0;
    place.stored = null;
  }
}
