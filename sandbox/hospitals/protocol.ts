import { createHash } from 'node:crypto';
import type { Appointment } from './calendar.ts';
import type { Request, Result } from './hospital.ts';

/** An HTTP request as it came. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** An HTTP answer, and the words the journal has for it. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly label: string;
}

/** What the answer must repeat, and how faults are said. */
export interface Addressing {
  readonly request: Request;
  readonly faultsWith200: boolean;
}

/** How a hospital is spoken to. Pure: bytes to requests, results to bytes. */
export interface Protocol {
  /** Whether this hospital knows a request it has seen before. */
  readonly recognizesRepeats: boolean;
  readonly prefix: string;
  /** The answer to a plain question that is no business of the calendar, or null. */
  aside(incoming: Incoming): Reply | null;
  read(incoming: Incoming): Request;
  write(result: Result, addressing: Addressing): Reply;
  /** The answer to another message: its key, its references. */
  writeForAnother(result: Result, addressing: Addressing, other: Appointment | undefined): Reply;
}

export function digestOf({ method, path, body }: Incoming): string {
  return createHash('sha256').update(`${method} ${path}\n`).update(body).digest('base64url');
}

/** The same answer with a body that ends in the middle. */
export function torn(reply: Reply): Reply {
  const half = reply.body.slice(0, Math.ceil(reply.body.length / 2));
  return { ...reply, body: `${half}\u0000<{`, label: 'garbage' };
}

/** Puts the facts of another appointment in place of the right ones. */
export function mistaken(result: Result, other: Appointment | undefined): Result {
  const strange = { hospitalRef: 'XX-999999', reference: 'BK-of-another', ...other };
  if (result.kind === 'effect') return { ...result, after: { ...result.after, ...strange } };
  if (result.kind === 'appointment' || result.kind === 'found') {
    if (result.appointment === null) return result;
    return { ...result, appointment: { ...result.appointment, ...strange } };
  }
  return result;
}

/** The key of a message that is not the one asked about. */
export function keyOfAnother(request: Request): Request {
  return { ...request, key: `another-${digestOfText(request.key ?? '')}` };
}

function digestOfText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}
