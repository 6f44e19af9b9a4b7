import type { Booking } from './booking.ts';
import type { BreakerState } from './breaker.ts';
import type { Delivery, DeliveryEnding, DeliveryState } from './delivery.ts';
import type { BridgeError } from './errors.ts';
import type {
  ChannelName,
  DeliveryId,
  EditionId,
  Message,
  MessageId,
  RouteName,
  SystemName,
} from './message.ts';
import type { Work } from './store.ts';

/** What people ask the store, and what they may do by hand. Sealed columns come opened. */
export interface Records {
  /**
   * The messages that some words name, the newest first: a booking's reference (ours or the
   * hospital's), the beginning of an id of a message, delivery or edition, a key that was sent, the
   * sender's id, the value of a search key. `privateNames` are the search keys kept as digests.
   */
  find(words: string, privateNames: readonly string[], limit: number): Promise<readonly MessageSummary[]>;

  /** Everything that happened to a message and what followed from it, or to a whole booking; null when there is no such thing. */
  trail(of: { readonly message: MessageId } | { readonly booking: string }): Promise<Trail | null>;

  /** Messages by what they have in common, the newest first. */
  list(filter: MessageFilter): Promise<readonly MessageSummary[]>;

  /** What needs a person, the oldest first. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;

  /** The dead letter whose id begins so. Throws `not-found`, or `not-allowed` when several do. */
  deadLetter(idPrefix: string): Promise<DeadLetter>;

  /** A held or dead delivery with all it takes to settle or probe it; null when it is neither. */
  stopped(id: DeliveryId): Promise<Work | null>;

  status(): Promise<Status>;

  /**
   * Sends a dead delivery again as something new. Throws `not-allowed` and names them when newer
   * deliveries of its lane have gone, unless `outOfOrder`; and for a held one, unless `asNew`.
   */
  replay(
    id: DeliveryId,
    again: Again & { readonly outOfOrder: boolean; readonly asNew: boolean },
  ): Promise<void>;

  /** A person knows that a held delivery was not taken: the same edition is sent again. */
  notTaken(id: DeliveryId, again: Again): Promise<void>;

  /** Closes a refused message: nothing more will come of it. */
  closeRefusal(id: MessageId, decision: Decision): Promise<void>;
}

/** Who decided something, and why. Kept in the audit. */
export interface Decision {
  readonly by: string;
  readonly reason: string;
}

/** A decision by which a delivery goes again, until `giveUpAt`. */
export interface Again extends Decision {
  readonly giveUpAt: Date;
}

export interface MessageFilter {
  readonly since: Date | null;
  readonly type: string | null;
  readonly hospital: SystemName | null;
  /** Of the message, or of any of its deliveries. */
  readonly state: 'kept' | 'refused' | DeliveryState | DeliveryEnding | null;
  readonly limit: number;
}

export interface MessageSummary {
  readonly id: MessageId;
  readonly cause: MessageId | null;
  readonly receivedAt: Date;
  readonly channel: ChannelName;
  readonly type: string;
  readonly hospital: SystemName;
  readonly booking: string | null;
  readonly state: 'kept' | 'refused';
  readonly deliveries: readonly {
    readonly id: DeliveryId;
    readonly route: RouteName;
    readonly channel: ChannelName;
    readonly state: DeliveryState | DeliveryEnding;
  }[];
}

export interface Trail {
  /** As it stands now; null when it is not about one. */
  readonly booking: Booking | null;
  readonly steps: readonly StepRecord[];
  /** In the order they were kept. */
  readonly messages: readonly MessageTrail[];
}

export interface StepRecord {
  readonly message: MessageId;
  readonly version: number;
  readonly before: string | null;
  readonly after: string;
  readonly kind: string;
  readonly type: string;
  readonly at: Date;
}

export interface MessageTrail {
  readonly message: Message<Uint8Array>;
  readonly booking: string | null;
  readonly keptAt: Date;
  readonly plan: string | null;
  readonly promised: number;
  readonly refused: { readonly error: BridgeError; readonly open: boolean } | null;
  readonly deliveries: readonly DeliveryTrail[];
  readonly audit: readonly AuditRecord[];
}

export interface DeliveryTrail {
  readonly delivery: Delivery;
  readonly state: DeliveryState | DeliveryEnding;
  /** When it is due (queued), stopped (held, dead) or ended. */
  readonly at: Date;
  /** The last thing that went wrong. */
  readonly error: BridgeError | null;
  readonly editions: readonly EditionRecord[];
  readonly attempts: readonly AttemptRecord[];
  readonly audit: readonly AuditRecord[];
}

export interface EditionRecord {
  readonly id: EditionId;
  readonly key: string;
  readonly body: Uint8Array;
  readonly envelope: Readonly<Record<string, string>>;
  /** JSON. */
  readonly facts: string;
  readonly plan: string;
  readonly writtenAt: Date;
}

export interface AttemptRecord {
  readonly id: string;
  readonly edition: EditionId;
  readonly kind: string;
  readonly no: number;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly outcome: string;
  readonly summary: string;
  readonly response: Uint8Array | null;
  readonly plan: string;
  readonly instance: string | null;
}

export interface AuditRecord extends Decision {
  readonly at: Date;
  readonly action: string;
}

interface DeadLetterBase {
  readonly message: MessageId;
  readonly since: Date;
  readonly error: BridgeError;
  readonly type: string;
  readonly hospital: SystemName;
  readonly booking: string | null;
}

export type DeadLetter =
  | (DeadLetterBase & {
      readonly kind: 'delivery';
      readonly id: DeliveryId;
      readonly state: 'held' | 'dead';
      readonly route: RouteName;
      readonly channel: ChannelName;
      /** How many wait behind it. */
      readonly behind: number;
    })
  | (DeadLetterBase & { readonly kind: 'refusal'; readonly id: MessageId; readonly channel: ChannelName });

export interface Status {
  readonly now: Date;
  readonly channels: readonly {
    readonly channel: ChannelName;
    readonly counts: Readonly<Record<DeliveryState, number>>;
    /** When the oldest that is neither held nor dead was kept. */
    readonly oldestAt: Date | null;
  }[];
  readonly refusals: number;
  readonly breakers: ReadonlyMap<ChannelName, BreakerState>;
  readonly instances: readonly { readonly id: string; readonly beatAt: Date; readonly plan: string | null }[];
  /** What was promised at keeping against the rows that exist; the same without faults. */
  readonly ledger: { readonly promised: number; readonly existing: number };
}
