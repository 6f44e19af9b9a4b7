import type { Booking, BookingInput } from './booking.ts';
import type { BreakerState } from './breaker.ts';
import type { Delivery, Next } from './delivery.ts';
import type { BridgeError } from './errors.ts';
import type { Lane } from './lane.ts';
import type {
  ChannelName,
  DeliveryId,
  EditionId,
  Message,
  MessageId,
  RouteName,
  SearchKey,
  SystemName,
} from './message.ts';

/** An instance that has not beaten for so long is frozen: it is taken over, its send deadline later. Milliseconds. */
export const LEASE_MS = 15_000;

/**
 * Everything the engine remembers: PostgreSQL in production, memory in tests and the simulator,
 * one conformance suite for both.
 *
 * Every transaction locks, lets the core decide, and writes. Locks are taken in one order
 * everywhere: lanes (sorted), dedupe keys, bookings, deliveries. `decide` is pure and may run more
 * than once. A call rejects with `store-unavailable` only when nothing was written; a COMMIT whose
 * reply was lost is looked up by the ids of the batch before the call ends.
 *
 * When `decide` throws, that one row is kept as refused (`store-rejected`), with two exceptions in which
 * the call rejects: `store-outdated` means that a newer version is needed, and is heard as
 * `store-unavailable` with it as its cause; and a deadline (channel `timer`) is never kept as refused.
 */
export interface Store {
  /**
   * Keeps arrivals in their order, with all that follows from each. A repeat changes nothing; the repeat of
   * one that was refused for what may have been corrected here since is decided again.
   */
  keep(
    batch: readonly Keeping[],
    decide: (keeping: Keeping, booking: Booking | null) => Consequences,
  ): Promise<readonly Kept[]>;

  /** Puts editions on disk, before their first send. `false`: the delivery is no longer this instance's; send nothing. */
  writeEditions(batch: readonly Edition[]): Promise<readonly boolean[]>;

  /** Records attempts with all that follows from them, and hands the next of every lane over. */
  settle(
    batch: readonly Settlement[],
    decide: (settlement: Settlement, booking: Booking | null) => Consequences,
  ): Promise<readonly Settled[]>;

  /** Takes up to `limit` due deliveries of a channel whose route is one of `routes`. */
  claim(channel: ChannelName, routes: readonly RouteName[], limit: number): Promise<readonly Work[]>;

  /**
   * Takes deliveries that have been due for `forMs` and whose route is none of `routes`: as long as all the
   * living run the same plan, nobody will ever send them.
   */
  claimStrayed(routes: readonly RouteName[], forMs: number, limit: number): Promise<readonly Work[]>;

  /** The running deliveries that the table says this instance owns. */
  owned(): Promise<readonly DeliveryId[]>;

  /** Gives deliveries back that this instance owns and does not hold: as a lost instance's are taken over. Returns how many. */
  release(deliveries: readonly DeliveryId[]): Promise<number>;

  /** References of bookings in one of `states` whose deadline has passed, the oldest first. */
  bookingsToWake(
    states: readonly string[],
    limit: number,
  ): Promise<
    readonly { readonly reference: string; readonly hospital: SystemName; readonly version: number }[]
  >;

  /** Joins the living. From now on this store acts for that instance; it leaves with `leave`. */
  join(): Promise<Membership>;

  /** Tells other instances that these channels have work that this one will not take itself. Never waits for a commit. */
  wake(channels: readonly ChannelName[]): void;

  /** Moves the breaker of a channel when its generation is still `from`; says whether it did, and how it stands now. */
  moveBreaker(
    channel: ChannelName,
    from: number,
    to: BreakerState,
  ): Promise<{ readonly moved: boolean; readonly state: BreakerState }>;

  /** Remembers a plan by its hash; keeps the first sight of it. */
  savePlan(hash: string, files: ReadonlyMap<string, string>): Promise<void>;

  /** Messages kept between 10 s and 10 min ago whose promised deliveries are not all there. */
  ledgerDifferences(): Promise<readonly MessageId[]>;

  /** Makes the days ahead, and forgets ids of senders that are too old to be repeated. Safe to repeat, cheap when done. */
  maintain(): Promise<void>;

  /** Resolves once a probe write was taken; waits while the store is away. Rejects when the signal aborts. */
  ready(signal: AbortSignal): Promise<void>;

  close(): Promise<void>;
}

/** One arrival on its way into the store. */
export interface Keeping {
  readonly message: Message<Uint8Array>;
  /** SHA-256 of the body. */
  readonly bodyDigest: Buffer;
  /** The keyed digest of the sender's id in its channel. */
  readonly dedupe: Buffer;
  readonly booking: string | null;
  /** Every lane that a delivery following from it may be in; the booking's own among them. */
  readonly lanes: readonly Lane[];
  readonly search: readonly SearchKey[];
  /** Set when it was refused before the store was asked. */
  readonly refused: BridgeError | null;
}

/** What became of one arrival. */
export type Kept =
  /** `running` are the deliveries handed over hot: already this instance's own. */
  | {
      readonly kind: 'accepted';
      readonly id: MessageId;
      readonly consequences: Consequences;
      readonly running: ReadonlySet<DeliveryId>;
    }
  | { readonly kind: 'duplicate'; readonly id: MessageId }
  | {
      readonly kind: 'refused';
      readonly id: MessageId;
      readonly error: BridgeError;
      readonly consequences: Consequences;
      readonly running: ReadonlySet<DeliveryId>;
    }
  /** The same refused bytes came once more, and would be refused for the same: nothing new was kept. */
  | { readonly kind: 'refused-again'; readonly id: MessageId; readonly error: BridgeError };

/** What follows from a message or an attempt, decided in memory under the locks. */
export interface Consequences {
  /** The messages to keep. For an arrival, the first is the arrival itself. */
  readonly messages: readonly NewMessage[];
  readonly step: BookingStep | null;
}

export interface NewMessage {
  readonly message: Message<Uint8Array>;
  readonly search: readonly SearchKey[];
  readonly booking: string | null;
  readonly deliveries: readonly NewDelivery[];
  /** A refused message has no deliveries of its own and is a dead letter until someone closes it. */
  readonly refused: BridgeError | null;
}

export interface NewDelivery {
  readonly id: DeliveryId;
  readonly route: RouteName;
  readonly channel: ChannelName;
  readonly lane: Lane | null;
  readonly edition: EditionId;
  readonly giveUpAt: Date;
  /** This instance has a free slot for it: begin as running and owned, when its lane is free. */
  readonly hot: boolean;
}

/** One step of a booking: history, and what it is now. */
export interface BookingStep {
  readonly before: string | null;
  readonly after: Booking;
  readonly input: BookingInput;
}

/** One rendering of a delivery. */
export interface Edition {
  readonly id: EditionId;
  readonly delivery: DeliveryId;
  readonly hospital: SystemName;
  readonly key: string;
  readonly body: Uint8Array;
  readonly envelope: Readonly<Record<string, string>>;
  /** The facts it was rendered from, as JSON. */
  readonly facts: string;
  readonly plan: string;
}

export interface StoredEdition {
  readonly key: string;
  readonly body: Uint8Array;
  readonly envelope: Readonly<Record<string, string>>;
}

/**
 * A delivery this instance owns, with all it takes to send it. `delivery.tries` counts the send that
 * is about to be made: claims, promotion and the hot hand-over all give it with one added.
 */
export interface Work {
  readonly delivery: Delivery;
  readonly message: Message<Uint8Array>;
  /** The booking as it stands now that the delivery is the head of its lane. */
  readonly bookingRef: string | null;
  readonly booking: Booking | null;
  /** Its edition, when that is on disk already: then these bytes are sent and no others. */
  readonly edition: StoredEdition | null;
  /** When its last send began, for a probe's `settleAfter`; null before the first. */
  readonly lastSentAt: Date | null;
}

/** One try to send one edition; also a try that failed before it could send, a probe, and a person's decision. */
export interface Attempt {
  /** A UUIDv7; finds the batch again when the reply to COMMIT was lost. */
  readonly id: string;
  readonly kind: 'send' | 'probe' | 'render' | 'decision';
  readonly no: number;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** A verdict, `absent`, or the error code. */
  readonly outcome: string;
  readonly summary: string;
  readonly response: Uint8Array | null;
  readonly plan: string;
}

export interface Settlement {
  readonly delivery: Delivery;
  readonly next: Next;
  readonly onDead: 'block' | 'continue';
  readonly attempt: Attempt;
  /** Whose row to read and lock: the booking the answer speaks of. */
  readonly booking: string | null;
  /** Every lane that a delivery following from it may be in. Its own lane need not be named. */
  readonly lanes: readonly Lane[];
  /** `owned`: only while this instance owns it. `stopped`: a person's decision on one that is held or dead. */
  readonly fence: 'owned' | 'stopped';
  /** For a person's decision: who and why. Kept in the audit. */
  readonly audit: { readonly by: string; readonly action: string; readonly reason: string } | null;
  /** How many deliveries of this channel the instance can take over hot when this one ends. */
  readonly promoteHot: boolean;
}

export type Settled =
  | {
      readonly kind: 'settled';
      readonly consequences: Consequences;
      readonly running: ReadonlySet<DeliveryId>;
      readonly promoted: Work | null;
    }
  /** Another instance, or a person, has it now: nothing was changed. */
  | { readonly kind: 'fenced' };

/** An instance among the living. */
export interface Membership {
  readonly id: string;
  /** Whether the lock that shows others this instance is alive is held, as far as is known here. Without it they take over at once. */
  holds(): boolean;
  /**
   * Says "still here", takes over what the lost left, and reads how the others fare. Resolves with
   * null when this instance was declared lost: it must drop all it owns and join again.
   */
  beat(report: {
    readonly plan: string;
    readonly honours: number;
    readonly graceMs: number;
  }): Promise<Pulse | null>;
  /** Calls back when another instance, or this one's own commits, have work for a channel. */
  onWake(listener: (channels: readonly ChannelName[]) => void): void;
  leave(): Promise<void>;
}

export interface Pulse {
  readonly now: Date;
  /** All living instances in one order, this one included. */
  readonly living: readonly string[];
  /** The smallest number of instances that any of the living divides its slots by. */
  readonly honoured: number;
  readonly breakers: ReadonlyMap<ChannelName, BreakerState>;
  /** What this beat took over from the lost: queued, and of these the ones that may have been sent. */
  readonly recovered: { readonly queued: number; readonly ambiguous: number };
}
