import type { JournalLine } from '../../sandbox/hospitals/journal.ts';

/** One request the publisher was told the broker has. The same `messageId` again is the same request. */
export interface Published {
  readonly reference: string;
  readonly hospital: string;
  readonly type: string;
  readonly messageId: string;
  /** Its place in the order of publishing. */
  readonly order: number;
  /** The slot it asks for. Without it two moves of one booking cannot be told apart. */
  readonly start?: string;
}

/** One event Dawy received. */
export interface DawyEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data?: unknown;
}

/** A request by what people call it. */
export interface Named {
  readonly reference: string;
  readonly type: string;
}

export interface Evidence {
  readonly published: readonly Published[];
  /** By the name of the hospital. */
  readonly journals: Readonly<Record<string, readonly JournalLine[]>>;
  readonly events: readonly DawyEvent[];
  /** What stands before a person, or waits behind what does. */
  readonly held: readonly Named[];
  /** Publications the engine refused, by message id. They ask for nothing any more. */
  readonly refused: readonly { readonly messageId: string }[];
  /** What a person settled: Dawy need not have heard of it. */
  readonly settled?: readonly Named[];
}

/** One thing that should not be, with where to look. */
export interface Violation {
  readonly hospital: string;
  readonly reference: string;
  readonly type: string;
  readonly why: string;
  /** Journal numbers. */
  readonly seqs: readonly number[];
}

export interface Findings {
  /** Requests without effect, decline or person; and effects Dawy never heard of. */
  readonly lost: readonly Violation[];
  readonly duplicateEffects: readonly Violation[];
  readonly orderBreaks: readonly Violation[];
  /** Effects nobody asked for. */
  readonly unknown: readonly Violation[];
  /** Events that say what no hospital did. */
  readonly falselyTold: readonly Violation[];
  readonly summary: Summary;
}

export interface Summary {
  readonly ok: boolean;
  readonly published: number;
  readonly effects: number;
  readonly declined: number;
  readonly held: number;
  readonly refused: number;
  /** Requests a hospital recognized as repeats: no harm, but they were sent again. */
  readonly recognizedRepeats: number;
  /** Events received again under the same id. */
  readonly repeatedEvents: number;
}
