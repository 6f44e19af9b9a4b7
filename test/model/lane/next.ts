import { BridgeError } from '../../../engine/errors.ts';
import type { Settlement } from '../../../engine/store.ts';
import type { Standing } from './rule.ts';

const error = new BridgeError('busy', 'the test says so');

/** A standing of the rule as the store hears of it. */
export function nextOf(standing: Standing): Settlement['next'] {
  const again = { kind: 'again', attempts: 0, error } as const;
  switch (standing) {
    case 'delivered':
    case 'given-up':
      return { kind: 'ended', as: standing };
    case 'again':
    case 'unsure':
      return { ...again, dueAt: new Date(0), ambiguous: standing === 'unsure' };
    case 'later':
      return { ...again, dueAt: new Date('2999-01-01T00:00:00Z'), ambiguous: false };
    case 'held':
    case 'dead':
      return { kind: 'stopped', state: standing, error };
  }
}
