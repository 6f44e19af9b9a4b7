import { randomBytes } from 'node:crypto';

/** The only source of chance in the engine, so that a simulated run can be replayed. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = { fraction: () => Math.random(), bytes: (count) => randomBytes(count) };
