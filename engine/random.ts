import { randomFillSync } from 'node:crypto';

/** The only source of chance in the engine, so that a simulated run can be replayed. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** The caller's own to change. */
  bytes(count: number): Uint8Array;
}

/** Asking the system for each id alone costs more than everything else that an id needs. */
const POOL_BYTES = 16_384;

function pooled(): Random['bytes'] {
  let pool = new Uint8Array(0);
  let used = 0;
  return (count) => {
    if (used + count > pool.byteLength) {
      // A new pool each time: what was given out is never written again.
      pool = randomFillSync(new Uint8Array(Math.max(count, POOL_BYTES)));
      used = 0;
    }
    used += count;
    return pool.subarray(used - count, used);
  };
}

export const systemRandom: Random = { fraction: () => Math.random(), bytes: pooled() };
