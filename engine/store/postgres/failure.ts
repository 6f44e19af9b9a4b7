import { BridgeError } from '../../errors.ts';
import { type Details, elsewhere, ofNewerVersion } from '../last-resort.ts';

/**
 * What a thrown thing means for a batch:
 * - `lost`:  the connection is gone; what was under way is unknown.
 * - `again`: the transaction met another one; run it once more.
 * - `place`: a day has no partition yet.
 * - `row`:   a row of the batch cannot be written; the others can.
 * - `away`:  the server cannot take anything now (disk, memory, shutdown, rights), or not from this version.
 */
export type Failure = 'lost' | 'again' | 'place' | 'row' | 'away';

/** The SQLSTATE of an error of the server; null for everything else. */
export function sqlState(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('severity' in thrown) || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' ? thrown.code : null;
}

const LOST = 'connectionLost';

/** What a session throws when its connection broke: what was under way is unknown. */
export function connectionLost(cause: unknown): BridgeError {
  return new BridgeError('store-unavailable', 'the connection to PostgreSQL broke', {
    cause,
    details: { [LOST]: true },
  });
}

/** Tells what a failed transaction means. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof BridgeError && thrown.code === 'store-unavailable') {
    return thrown.details[LOST] === true ? 'lost' : 'away';
  }
  if (ofNewerVersion(thrown)) return 'away';
  const state = sqlState(thrown);
  if (state === null) return 'row';
  // 57P01 to 57P03: the server ends our session.
  if (state.startsWith('57P') || state.startsWith('08')) return 'lost';
  if (state === '40001' || state === '40P01') return 'again';
  if (state === '23514' && thrown instanceof Error && /no partition/.test(thrown.message)) return 'place';
  // Data that does not fit, integrity, limits (an index row that is too large).
  return /^(22|23|54)/.test(state) ? 'row' : 'away';
}

/** The details of a refusal that say what the server had against it, without the row. */
export function stateDetails(thrown: unknown): Details {
  const state = sqlState(thrown);
  return state === null ? {} : { sqlState: state };
}

/** What a caller hears when nothing was written. */
export function unavailable(thrown: unknown): BridgeError {
  if (ofNewerVersion(thrown)) return elsewhere(thrown);
  if (thrown instanceof BridgeError) return thrown;
  const state = sqlState(thrown);
  const why = state === null ? '' : ` (SQLSTATE ${state})`;
  return new BridgeError('store-unavailable', `the store takes nothing now${why}`, {
    cause: thrown,
    details: stateDetails(thrown),
  });
}
