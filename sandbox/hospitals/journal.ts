import type { Appointment, Effect } from './calendar.ts';
import type { Result } from './hospital.ts';

export const OPERATIONS = ['book', 'move', 'cancel', 'find', 'read', 'unreadable'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** One request the hospital saw, and what came of it. Lines stand in the order of the effects. */
export interface JournalLine {
  readonly seq: number;
  readonly at: string;
  /** The sender's key: `Idempotency-Key` or `MessageId`. */
  readonly key: string | null;
  readonly operation: Operation;
  /** The external reference. */
  readonly reference: string | null;
  readonly hospitalRef: string | null;
  readonly effect: Effect | 'none';
  /** The line whose effect this request asked for again. */
  readonly repeatOf?: number;
  /** The effect was in place and was made again. */
  readonly duplicateEffect?: true;
  /** What was sent back: `201`, `409 SLOT_TAKEN`, `fault SLOT_TAKEN`, `reset`, `silent`, `garbage`, `other 201`, `late 201`, `twice 201`, `empty 201`. */
  readonly answer: string;
  readonly misbehaviour?: string;
  readonly start: string | null;
  readonly doctor: string | null;
}

/** One line of the file: what is seen from outside, and what is needed to stand up again. */
export type LogEntry =
  | {
      readonly line: JournalLine;
      readonly after?: Appointment;
      /** The answer kept under the key, and the digest of the request it answers. */
      readonly stored?: { readonly digest: string; readonly result: Result };
    }
  /** The first line after a reset: where the two series go on. */
  | { readonly series: { readonly seq: number; readonly number: number } };

export function encodeEntry(entry: LogEntry): string {
  return JSON.stringify(entry);
}

export function decodeEntry(text: string): LogEntry {
  return JSON.parse(text) as LogEntry;
}
