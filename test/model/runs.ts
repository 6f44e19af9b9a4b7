import type fc from 'fast-check';

const isDeep = process.env['DEEP'] === '1';

/**
 * How often a property is tried: `count` times, and `deep` times in a deep run. `SEED`, and `SEED_PATH` for the
 * path that a failing run prints beside it, make it try the same again.
 */
export function runs<Given>(count: number, deep = count): fc.Parameters<Given> {
  const { SEED: seed, SEED_PATH: path } = process.env;
  return {
    numRuns: isDeep ? deep : count,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  };
}
