import type { Clock } from './clock.ts';
import type { Repeats, Verdict } from './delivery.ts';
import type { BridgeError, ErrorCode } from './errors.ts';
import type { ChannelName, MessageId, SystemName } from './message.ts';

/** What an inbound channel knows about a message the moment it arrives. */
export interface Arrival {
  readonly body: Uint8Array;
  /** Headers by lower-case name; the protocol's own properties carry its kind: `amqp.messageId`, `amqp.routingKey`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the engine did with it. The channel turns this into its protocol's answer. */
export type Receipt =
  | { readonly kind: 'accepted'; readonly id: MessageId }
  | { readonly kind: 'duplicate'; readonly id: MessageId }
  | { readonly kind: 'refused'; readonly id: MessageId; readonly error: BridgeError };

/**
 * Hands one arrival to the engine. Once it resolves the message is in PostgreSQL, and only then
 * may the channel acknowledge its sender: a refused arrival is kept too, and is acknowledged. When it rejects,
 * nothing was kept: the channel must answer so that the sender keeps the message and sends it again.
 * Arrivals of one channel are kept in the order of the calls; a channel need not wait between them.
 */
export type Accept = (arrival: Arrival) => Promise<Receipt>;

export interface InboundChannel {
  readonly name: ChannelName;
  /** Opens the channel. Resolves when it is ready to receive; keeps reconnecting by itself after. */
  start(accept: Accept): Promise<void>;
  /** Takes nothing new, then resolves once every arrival already taken has been answered. */
  stop(): Promise<void>;
}

/** One edition on its way out: the same bytes, key and envelope every time it is sent. */
export interface Parcel {
  /** What makes a repeat recognizable: `Idempotency-Key`, MSH-10, `message_id`. */
  readonly key: string;
  readonly body: Uint8Array;
  /** What the kind needs beside the body: `method` and `path` (REST), `action` (SOAP). */
  readonly envelope: Readonly<Record<string, string>>;
  /** The type of the message it was made from. */
  readonly type: string;
}

/** What the far side answered; kept in the trail. */
export interface Answer {
  /** What to look up in `verdicts:`, the most particular first: `409/slot-taken`, `409`. */
  readonly signals: readonly string[];
  /** What an answer means that `verdicts:` does not list; null leaves it *wrong*. */
  readonly otherwise: ErrorCode | null;
  /** What the far side asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** One line for people; never a word of the body. */
  readonly summary: string;
  readonly body: Uint8Array;
}

export interface OutboundChannel {
  readonly name: ChannelName;
  /** Makes ready to send. Must not need the far side to be there. */
  start(): Promise<void>;
  /** Lets what is under way end, then releases every connection. */
  stop(): Promise<void>;
  /**
   * Sends one parcel and resolves with the answer. Throws a BridgeError when there is none; its
   * fault must be `unavailable` until the first byte was written and `ambiguous` from then on.
   * Never tries twice.
   */
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
}

/** What a channel may know of the world around it. */
export interface ChannelContext {
  readonly system: SystemName;
  /** Connections the system owns, by kind: `systems.dawy.amqp`. Secrets are already in place. */
  readonly connections: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Says how the channel fares: one event a change, never one a message. */
  readonly report: (state: 'opened' | 'closed', detail: string) => void;
  /** Resolves once the store took a probe write; an inbound channel opens, and reopens, only after it. */
  readonly storeReady: (signal: AbortSignal) => Promise<void>;
  /**
   * Whether this instance can still prove that it lives. An outbound channel asks right before the first byte, since
   * the process may have been frozen while it connected, and throws `send-prevented` without writing when not.
   */
  readonly maySend: () => boolean;
}

/** JSON Schema (draft-07) of an object. */
export type OptionsSchema = Readonly<Record<string, unknown>>;

/** One protocol, as routes.yaml sees it. Listing a kind in `channels/index.ts` is all it takes to add it. */
export interface ChannelKind {
  /** The value of `kind:`: `amqp`, `rest`. */
  readonly kind: string;
  /** One sentence, shown at the head of the generated reference. */
  readonly summary: string;
  readonly inbound?: {
    readonly options: OptionsSchema;
    create(name: ChannelName, options: never, context: ChannelContext): InboundChannel;
  };
  readonly outbound?: {
    readonly options: OptionsSchema;
    /** What a route must say beside the template when it renders for this kind. */
    readonly envelope: OptionsSchema;
    /** What answers mean when the channel has no `verdicts:` of its own. Left out, it must have them. */
    readonly verdicts?: Readonly<Record<string, Verdict>>;
    /** What `repeats:` is when the channel does not say it. Left out: unsafe. */
    readonly repeats?: Repeats;
    create(name: ChannelName, options: never, context: ChannelContext): OutboundChannel;
  };
}
