import { expect } from 'chai';
import type { BookingInput } from '../../../engine/booking.ts';
import type { DeliveryId, EditionId, MessageId } from '../../../engine/message.ts';
import type { Kept, Settled, Settlement, Work } from '../../../engine/store.ts';

/** What the workers of one run saw. What can be seen to be wrong while they work throws at once. */
export class Facts {
  /** Every delivery that a worker was told is kept, by its booking. */
  readonly promised = new Map<DeliveryId, string>();
  /** What was said to a booking by each message that was to be kept. */
  readonly inputs = new Map<MessageId, BookingInput>();
  readonly accepted = new Map<string, MessageId[]>();
  readonly duplicates: { readonly key: string; readonly of: MessageId }[] = [];
  readonly settled = new Set<string>();
  readonly fenced = new Set<string>();
  readonly ended = new Set<DeliveryId>();
  readonly stopped = new Set<DeliveryId>();
  /** The deliveries of each booking in the order they were first handed out. */
  readonly handedOut = new Map<string, DeliveryId[]>();
  /** The workers that stall. */
  readonly stalled = new Set<number>();
  /** What was handed out last for each delivery. */
  readonly works = new Map<DeliveryId, Work>();
  /** The worker that each delivery was handed to last. */
  readonly #last = new Map<DeliveryId, number>();
  readonly #inHand = new Map<string, number>();
  readonly #bytes = new Map<EditionId, string>();
  /** Settlements on their way, and whether their delivery was handed out again before their reply came. */
  readonly #settling = new Map<DeliveryId, { overtaken: boolean }>();
  /** Whether the last word on a delivery was that it was certainly not taken. */
  readonly #sure = new Map<DeliveryId, boolean>();
  /** Deliveries of which the last word is not known here: it came while the one before was on its way. */
  readonly #unknown = new Set<DeliveryId>();

  kept(key: string | null, kept: Kept): void {
    if (kept.kind === 'duplicate' && key !== null) this.duplicates.push({ key, of: kept.id });
    if (kept.kind !== 'accepted' && kept.kind !== 'refused') return;
    if (kept.kind === 'accepted' && key !== null)
      this.accepted.set(key, [...(this.accepted.get(key) ?? []), kept.id]);
    this.promise(kept);
  }

  promise({ consequences }: Pick<Extract<Kept, { kind: 'accepted' }>, 'consequences'>): void {
    for (const { booking, deliveries } of consequences.messages)
      for (const { id } of deliveries) this.promised.set(id, booking ?? '-');
  }

  /** The editions that are certainly on disk now: whoever gets such a delivery later gets these bytes. */
  onDisk(): ReadonlySet<EditionId> {
    return new Set(this.#bytes.keys());
  }

  written(work: Work, bytes: string): void {
    const { edition } = work.delivery;
    if (!this.#bytes.has(edition)) this.#bytes.set(edition, bytes);
  }

  /** A worker got work. `before` is what was on disk when it asked. One that stalls cannot send, and does not count. */
  handed(worker: number, work: Work, before: ReadonlySet<EditionId>, stalls: boolean): void {
    const { id, edition, ambiguous } = work.delivery;
    const booking = work.bookingRef ?? '-';
    this.works.set(id, work);
    this.#last.set(id, worker);
    const order = this.handedOut.get(booking) ?? [];
    if (!order.includes(id)) this.handedOut.set(booking, [...order, id]);
    if (before.has(edition))
      expect(work.edition && Buffer.from(work.edition.body).toString(), 'the bytes of an edition').to.equal(
        this.#bytes.get(edition),
      );
    const settling = this.#settling.get(id);
    if (settling !== undefined) settling.overtaken = true;
    const mayBeTaken = work.edition !== null && !(this.#sure.get(id) ?? false);
    const isKnown = settling === undefined && !this.#unknown.has(id);
    if (isKnown) expect(ambiguous, 'whether it may have been sent').to.equal(mayBeTaken);
    if (!stalls) this.hold(worker, booking);
    // What comes to one that stalls may be taken over at any moment.
    else this.unsure(worker, id);
  }

  hold(worker: number, booking: string): void {
    const other = this.#inHand.get(booking);
    if (other !== undefined && other !== worker)
      throw new RangeError(`workers ${other} and ${worker} send for ${booking} at once`);
    this.#inHand.set(booking, worker);
  }

  letGo(worker: number, booking: string): void {
    if (this.#inHand.get(booking) === worker) this.#inHand.delete(booking);
  }

  settles({ delivery }: Settlement): void {
    this.#settling.set(delivery.id, { overtaken: false });
  }

  settledAs({ delivery, attempt, next }: Settlement, settled: Settled): void {
    const { id } = delivery;
    const isOvertaken = this.#settling.get(id)?.overtaken ?? false;
    this.#settling.delete(id);
    if (settled.kind === 'fenced') {
      this.fenced.add(attempt.id);
      return;
    }
    this.settled.add(attempt.id);
    this.promise(settled);
    if (isOvertaken) this.#unknown.add(id);
    else this.#sure.set(id, next.kind === 'again' && !next.ambiguous);
    if (next.kind === 'stopped') this.stopped.add(id);
    if (next.kind !== 'ended') return;
    expect(this.ended.has(id), 'ended twice').to.equal(false);
    this.ended.add(id);
  }

  /** Given back, or about to be taken over: with an edition on disk it may have been sent. Of what another has by now that says nothing. */
  unsure(worker: number, id: DeliveryId): void {
    if (this.#last.get(id) === worker) this.#sure.set(id, false);
  }
}
