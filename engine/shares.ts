/** One instance's view of how the slots of the hospitals are divided. */
export interface Division {
  /** How many instances the slots are divided by. */
  readonly by: number;
  /** The place of this instance among them, from 0. */
  readonly rank: number;
  /** Every living instance keeps to a division by at least that many: growing is safe. */
  readonly settled: boolean;
}

/** Nothing is this instance's until it has seen the others. */
export const NOT_YET: Division = { by: 1, rank: 0, settled: false };

/**
 * The slots of one instance out of `maxInFlight`. While the others have not yet made room, an
 * instance only ever gives slots up, so that the hospital never sees more than it bears.
 */
export function shareOf(maxInFlight: number, { by, rank, settled }: Division, current: number): number {
  const share = Math.floor(maxInFlight / by) + (rank < maxInFlight % by ? 1 : 0);
  return settled ? share : Math.min(share, current);
}
