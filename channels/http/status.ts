import type { ErrorCode } from '../../engine/errors.ts';

/** What a status means that `verdicts:` does not list; null where the status alone says nothing is amiss. */
export function meaningOf(status: number): ErrorCode | null {
  if (status === 401 || status === 403) return 'credentials-refused';
  if (status === 408 || status === 425 || status === 429) return 'busy';
  // Of every 5xx: whether it was taken before the far side failed cannot be told from outside.
  if (status >= 500) return 'server-failed';
  if (status >= 400) return 'request-refused';
  return null;
}

// RFC 9110 section 5.6.7; the two obsolete formats are not read.
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const DAY_MS = 86_400_000;

/** The milliseconds that `Retry-After` asks for, as seconds or as a date; at most a day, null when it cannot be read. */
export function retryAfter(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000
    : HTTP_DATE.test(text)
      ? Date.parse(text) - now.getTime()
      : Number.NaN;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), DAY_MS);
}
