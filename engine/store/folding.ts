import { createHash } from 'node:crypto';
import type { Booking } from '../booking.ts';
import { BridgeError, type ErrorCode } from '../errors.ts';
import { type Lane, lockOf } from '../lane.ts';
import type { ChannelName, DeliveryId, MessageId } from '../message.ts';
import type { BookingStep, Consequences, Keeping, NewMessage, Settlement } from '../store.ts';

/** What the store knows of a sender's id. */
export interface KnownId {
  readonly message: MessageId;
  readonly digest: Buffer;
  /** Set when the message was refused: then it does not hold the id. */
  readonly refused: BridgeError | null;
}

/** A sender's id in its channel. */
export interface DedupeKey {
  readonly channel: ChannelName;
  readonly key: Buffer;
}

export interface DedupeWrite extends DedupeKey {
  readonly known: KnownId;
  /** Who held the key before this transaction. */
  readonly was: MessageId | null;
}

export type Verdict =
  | {
      readonly kind: 'new';
      readonly id: MessageId;
      readonly error: BridgeError | null;
      readonly consequences: Consequences;
    }
  | { readonly kind: 'duplicate'; readonly id: MessageId }
  | { readonly kind: 'refused-again'; readonly id: MessageId; readonly error: BridgeError };

/** All that a batch of arrivals writes. */
export interface KeepPlan {
  /** In the order of the batch. */
  readonly verdicts: readonly Verdict[];
  readonly messages: readonly NewMessage[];
  readonly steps: readonly BookingStep[];
  readonly dedupe: readonly DedupeWrite[];
  /** Refused messages that another one under their id closes: a corrected one, or the same once it can be taken. */
  readonly superseded: readonly { readonly message: MessageId; readonly by: NewMessage }[];
}

export type Decide<Input> = (input: Input, booking: Booking | null) => Consequences;

export const textOf = ({ channel, key }: DedupeKey): string => `${channel}\0${key.toString('hex')}`;

/** Where a body that came under a used id is remembered, so that its own repeat is recognized too. */
export function reusedKey({ dedupe, bodyDigest }: Keeping): Buffer {
  return createHash('sha256').update('id-reused').update(dedupe).update(bodyDigest).digest().subarray(0, 16);
}

/** The keys to read before a batch is decided. */
export function dedupeKeys(batch: readonly Keeping[]): readonly DedupeKey[] {
  return batch.flatMap((keeping) => {
    const { channel } = keeping.message;
    return [
      { channel, key: keeping.dedupe },
      { channel, key: reusedKey(keeping) },
    ];
  });
}

/**
 * Refusals that say nothing of the bytes alone: what was missing may be there by now. The same bytes are
 * decided again, and are a repeat only when they are refused for the same.
 */
const MAY_CHANGE: ReadonlySet<ErrorCode> = new Set([
  'route-missing',
  'hospital-unknown',
  'type-unknown',
  'schema-violation',
  'store-rejected',
]);

/** What follows from an arrival, with the arrival itself as it is to be kept. */
interface Considered {
  readonly consequences: Consequences;
  readonly arrival: NewMessage;
}

/**
 * Decides a batch of arrivals in their order, each on what the ones before it left behind. `known`
 * and `bookings` are what the tables hold; they are not changed.
 */
export function foldKeeps(
  batch: readonly Keeping[],
  known: ReadonlyMap<string, KnownId>,
  bookings: ReadonlyMap<string, Booking>,
  decide: Decide<Keeping>,
): KeepPlan {
  const ids = new Map(known);
  const now = new Map(bookings);
  const dedupe = new Map<string, DedupeWrite>();
  const messages: NewMessage[] = [];
  const steps: BookingStep[] = [];
  const superseded: { message: MessageId; by: NewMessage }[] = [];

  const consider = (keeping: Keeping): Considered => {
    const { booking, message } = keeping;
    const consequences = decide(keeping, booking === null ? null : (now.get(booking) ?? null));
    const [arrival] = consequences.messages;
    if (arrival === undefined || arrival.message.id !== message.id)
      throw new BridgeError('store-mismatch', 'the first message to keep is not the arrival itself');
    return { consequences, arrival };
  };
  const keepNew = (
    keeping: Keeping,
    key: Buffer,
    old: KnownId | undefined,
    { consequences, arrival }: Considered = consider(keeping),
  ): Verdict => {
    checkConsequences(consequences, keeping.lanes, keeping.booking);
    if (consequences.step !== null) {
      now.set(consequences.step.after.reference, consequences.step.after);
      steps.push(consequences.step);
    }
    messages.push(...consequences.messages);
    if (old !== undefined) superseded.push({ message: old.message, by: arrival });
    const entry = { channel: keeping.message.channel, key };
    const text = textOf(entry);
    const mine = { message: keeping.message.id, digest: keeping.bodyDigest, refused: arrival.refused };
    ids.set(text, mine);
    dedupe.set(text, { ...entry, known: mine, was: known.get(text)?.message ?? null });
    return { kind: 'new', id: mine.message, error: arrival.refused, consequences };
  };

  const verdicts = batch.map((keeping): Verdict => {
    const { channel } = keeping.message;
    const first = ids.get(textOf({ channel, key: keeping.dedupe }));
    if (first === undefined) return keepNew(keeping, keeping.dedupe, undefined);
    if (first.digest.equals(keeping.bodyDigest)) {
      if (first.refused === null || !MAY_CHANGE.has(first.refused.code)) return repeatOf(first);
      const considered = consider(keeping);
      return considered.arrival.refused?.code === first.refused.code
        ? repeatOf(first)
        : keepNew(keeping, keeping.dedupe, first, considered);
    }
    // A refused message had no effect and does not hold its id: this one may be the correction.
    if (first.refused !== null) return keepNew(keeping, keeping.dedupe, first);
    const key = reusedKey(keeping);
    const reused = ids.get(textOf({ channel, key }));
    if (reused !== undefined) return repeatOf(reused);
    return keepNew({ ...keeping, refused: idReused(first.message) }, key, undefined);
  });
  return { verdicts, messages, steps, dedupe: [...dedupe.values()], superseded };
}

function repeatOf({ message, refused }: KnownId): Verdict {
  return refused === null
    ? { kind: 'duplicate', id: message }
    : { kind: 'refused-again', id: message, error: refused };
}

function idReused(message: MessageId): BridgeError {
  return new BridgeError('id-reused', `the id belongs to message ${message}, which has another body`);
}

/** A delivery as the table has it when a settling transaction has locked it. */
export interface OpenRow {
  readonly owner: string | null;
  readonly state: string;
  readonly head: boolean;
  /** Tells one taking of the delivery from the next: an instance may own again what it was once fenced from. */
  readonly tries: number;
}

export interface SettleOutcome {
  readonly settlement: Settlement;
  readonly consequences: Consequences;
  /** It was the head of its lane and is not any more: the next one follows. */
  readonly closes: boolean;
  /** Whether it stays the head. */
  readonly head: boolean;
}

export interface SettlePlan {
  /** In the order of the batch; null where the delivery is no longer ours to settle. */
  readonly outcomes: readonly (SettleOutcome | null)[];
  readonly messages: readonly NewMessage[];
  readonly steps: readonly BookingStep[];
}

/** Decides a batch of settlements in their order. Whoever does not own the delivery any more changes nothing. */
export function foldSettles(
  batch: readonly Settlement[],
  rows: ReadonlyMap<DeliveryId, OpenRow>,
  me: string | null,
  bookings: ReadonlyMap<string, Booking>,
  decide: Decide<Settlement>,
): SettlePlan {
  const now = new Map(bookings);
  const done = new Set<DeliveryId>();
  const messages: NewMessage[] = [];
  const steps: BookingStep[] = [];
  const outcomes = batch.map((settlement): SettleOutcome | null => {
    const { delivery, next } = settlement;
    const row = rows.get(delivery.id);
    if (row === undefined || done.has(delivery.id) || !mayPass(settlement, row, me)) return null;
    done.add(delivery.id);
    const { booking } = settlement;
    const consequences = decide(settlement, booking === null ? null : (now.get(booking) ?? null));
    const own = delivery.lane === null ? [] : [delivery.lane];
    checkConsequences(consequences, [...settlement.lanes, ...own], booking);
    if (consequences.step !== null) {
      now.set(consequences.step.after.reference, consequences.step.after);
      steps.push(consequences.step);
    }
    messages.push(...consequences.messages);
    // Only what is dead may be passed by; a held one may have been taken, and its successors depend on that.
    const leaves =
      next.kind === 'ended' ||
      (next.kind === 'stopped' && next.state === 'dead' && settlement.onDead === 'continue');
    return { settlement, consequences, closes: row.head && leaves, head: row.head && !leaves };
  });
  return { outcomes, messages, steps };
}

function mayPass(
  { fence, delivery }: Settlement,
  { owner, state, tries }: OpenRow,
  me: string | null,
): boolean {
  return fence === 'owned'
    ? owner !== null && owner === me && tries === delivery.tries
    : state === 'held' || state === 'dead';
}

/** Nothing may follow that the locks of the transaction do not cover. */
function checkConsequences(
  { messages, step }: Consequences,
  lanes: readonly Lane[],
  booking: string | null,
): void {
  if (step !== null && step.after.reference !== booking)
    throw new BridgeError('store-mismatch', 'a step of a booking that was not named');
  const locked = new Set(lanes.map(lockOf));
  for (const { deliveries, refused } of messages) {
    if (refused !== null && deliveries.length > 0)
      throw new BridgeError('store-mismatch', 'a refused message with deliveries');
    for (const { lane } of deliveries) {
      if (lane !== null && !locked.has(lockOf(lane)))
        throw new BridgeError('store-mismatch', 'a delivery in a lane that was not named');
    }
  }
}

/** The bookings after a batch, each once, with the version the batch found. */
export function finalBookings(
  steps: readonly BookingStep[],
  found: ReadonlyMap<string, Booking>,
): readonly { readonly booking: Booking; readonly base: number | null }[] {
  const last = new Map(steps.map(({ after }) => [after.reference, after]));
  return [...last.values()]
    .map((booking) => ({ booking, base: found.get(booking.reference)?.version ?? null }))
    .sort((a, b) => (a.booking.reference < b.booking.reference ? -1 : 1));
}
