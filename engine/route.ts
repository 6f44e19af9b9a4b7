import type { Learnt } from './booking.ts';
import type { Arrival } from './channel.ts';
import type { Verdict } from './delivery.ts';
import type { Facts } from './facts.ts';
import type { ChannelName, Form, Message, RouteName, SearchKey, SystemName } from './message.ts';
import type { RetryPolicy } from './retry.ts';

/** What `read:` of an inbound channel makes of an arrival: what the engine must know to keep and route it. */
export interface Reading {
  readonly form: Form;
  readonly body: unknown;
  readonly type: string;
  /** The sender's own id; null when the sender gave none and the hash of the body stands in. */
  readonly id: string | null;
  readonly hospital: SystemName;
  readonly booking: string | null;
  readonly search: readonly SearchKey[];
  /** What the booking learns from it. */
  readonly learnt: Learnt;
}

/** What could still be told of an arrival that is refused. */
export type PartialReading = Partial<Omit<Reading, 'form' | 'body'>>;

/** Decodes, validates and identifies. Never throws: a refusal carries what could be read before it. */
export type Read = (arrival: Arrival) => { readonly kind: 'read'; readonly reading: Reading } | Refusal;
export interface Refusal {
  readonly kind: 'refused';
  readonly error: import('./errors.ts').BridgeError;
  readonly partial: PartialReading;
}

/** What is sent, before it has its key and its place on disk. */
export interface Rendered {
  readonly body: Uint8Array;
  readonly envelope: Readonly<Record<string, string>>;
}

/** What a route makes of an answer. */
export type AnswerReading =
  /** The answer is this event; `event` null when it says nothing about the booking. */
  | { readonly kind: 'means'; readonly event: string | null; readonly learnt: Learnt; readonly form: Form }
  /** The answer cannot be decoded or mapped: kept as a refused message. */
  | { readonly kind: 'refused'; readonly error: import('./errors.ts').BridgeError };

/** One entry of `routes:`, compiled: every name replaced by the thing it names. */
export interface Route {
  readonly name: RouteName;
  readonly from: ChannelName;
  /** The compiled `when:` and the types that `render:` lists. `body` is the decoded message. */
  readonly matches: (message: Message) => boolean;
  /** What orders its deliveries; null when nothing does. */
  readonly orderingKey: (message: Message, booking: string | null) => string | null;
  /** From the kept message to what is sent. Pure. Throws a BridgeError. */
  readonly render: (message: Message, facts: Facts) => Rendered;
  readonly to: ChannelName;
  /** Reads what the far side said; null when answers mean nothing beyond their verdict. Never throws. */
  readonly readAnswer: ((answer: Uint8Array, asked: Message, facts: Facts) => AnswerReading) | null;
  readonly retry: RetryPolicy;
  /** After this instant a delivery no longer makes sense; null when it always does. */
  readonly notAfter: (message: Message) => Date | null;
  readonly onDead: 'block' | 'continue';
}

/** How an outbound channel finds out whether the hospital has what an uncertain send asked for. */
export interface Probe {
  /** An *absent* counts only this long after the uncertain send. Milliseconds. */
  readonly settleAfterMs: number;
  /** The question. Pure. Throws a BridgeError. */
  readonly render: (message: Message, facts: Facts) => Rendered;
  /** What the answer to the question says of the delivery; null when it says neither. Never throws. */
  readonly says: (answer: Uint8Array, asked: Message, facts: Facts) => 'taken' | 'declined' | 'absent' | null;
}

/** `verdicts:` of an outbound channel. */
export type Verdicts = ReadonlyMap<string, Verdict>;
