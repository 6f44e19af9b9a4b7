import type { Appointment } from './calendar.ts';
import type { JournalLine } from './journal.ts';
import type { Misbehaviour, MisbehaviourOptions, Mode } from './misbehaviour.ts';

export interface HospitalStatus {
  readonly name: string;
  readonly kind: 'rest' | 'soap';
  readonly address: string;
  readonly listening: boolean;
  readonly misbehaviours: readonly (Misbehaviour & { readonly hits: number })[];
  readonly requests: number;
  readonly lastSeq: number;
  readonly appointments: number;
  readonly active: number;
  readonly duplicateEffects: number;
}

export interface HospitalControl {
  /** Makes the hospital misbehave from now on; rejects with the problem in words when the options make no sense. */
  break(mode: Mode, options?: MisbehaviourOptions): Promise<HospitalStatus>;
  /** Ends every misbehaviour. */
  heal(): Promise<HospitalStatus>;
  /** Every request seen, or those after a line, in the order of their effects; only what is on disk. */
  journal(since?: number): Promise<readonly JournalLine[]>;
  /** Empties calendar and journal. */
  reset(): Promise<HospitalStatus>;
  status(): Promise<HospitalStatus>;
  calendar(): Promise<readonly Appointment[]>;
}

/** The hospital did not do as told, and says why. */
export class HospitalControlError extends Error {
  override readonly name = 'HospitalControlError';
}

/** Speaks to the control address of a simulated hospital. */
export function hospitalControl(controlUrl: string): HospitalControl {
  const ask = async (method: string, path: string, body?: unknown): Promise<string> => {
    const response = await fetch(new URL(path, controlUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new HospitalControlError(problemOf(text, response.status));
    return text;
  };
  const status = async (method: string, path: string, body?: unknown) =>
    JSON.parse(await ask(method, path, body)) as HospitalStatus;
  return {
    break: (mode, options = {}) => status('POST', '/misbehave', { ...options, mode }),
    heal: () => status('DELETE', '/misbehave'),
    journal: async (since = 0) => parseJournal(await ask('GET', `/journal?since=${since}`)),
    reset: () => status('POST', '/reset'),
    status: () => status('GET', '/status'),
    calendar: async () => JSON.parse(await ask('GET', '/calendar')) as readonly Appointment[],
  };
}

/** Reads the JSON lines of a journal. */
export function parseJournal(text: string): readonly JournalLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine);
}

function problemOf(text: string, status: number): string {
  try {
    return (JSON.parse(text) as { problem?: string }).problem ?? `the hospital answered ${status}`;
  } catch {
    return `the hospital answered ${status}`;
  }
}
