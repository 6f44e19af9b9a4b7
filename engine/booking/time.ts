import type { Learnt } from '../booking.ts';

/** Whether two messages speak of the same start. A zone spelled otherwise is the same time. */
export function sameStart(one: Learnt | undefined, other: Learnt | undefined): boolean {
  if (one?.slotStart === undefined || other?.slotStart === undefined) return false;
  return one.slotStart === other.slotStart || instant(one.slotStart) === instant(other.slotStart);
}

/** Whether two messages certainly speak of different starts. Texts without a zone cannot be compared. */
export function differentStart(one: Learnt | undefined, other: Learnt | undefined): boolean {
  if (one?.slotStart === undefined || other?.slotStart === undefined) return false;
  const [first, second] = [instant(one.slotStart), instant(other.slotStart)];
  return !Number.isNaN(first) && !Number.isNaN(second) && first !== second;
}

const WITH_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/i;

// NaN equals nothing, so two texts that cannot be read are the same only letter by letter.
function instant(text: string): number {
  return WITH_ZONE.test(text) ? Date.parse(text) : Number.NaN;
}
