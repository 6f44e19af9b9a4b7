/** Chance that can be had again: the same seed gives the same numbers. The mulberry32 generator. */
export interface Chance {
  readonly seed: number;
  /** In [0, 1). */
  fraction(): number;
  /** A whole number from 0, below `end`. */
  below(end: number): number;
  /** True at this rate. */
  hits(rate: number): boolean;
}

/** Chance from SEED of the environment, else from a seed of the moment; `say` tells a person which. */
export function chanceOf(say: (line: string) => void): Chance {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  say(`SEED=${seed}`);
  return chance(seed);
}

export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    fraction,
    below: (end) => Math.floor(fraction() * end),
    hits: (rate) => fraction() < rate,
  };
}
