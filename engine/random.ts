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

class SystemRandom implements Random {
  #pool = new Uint8Array(0);
  #used = 0;

  fraction(): number {
    return Math.random();
  }

  bytes(count: number): Uint8Array {
    if (this.#used + count > this.#pool.byteLength) {
      // A new pool each time: what was given out is never written again.
      this.#pool = randomFillSync(new Uint8Array(Math.max(count, POOL_BYTES)));
      this.#used = 0;
    }
    this.#used += count;
    return this.#pool.subarray(this.#used - count, this.#used);
  }
}

export const systemRandom: Random = new SystemRandom();
