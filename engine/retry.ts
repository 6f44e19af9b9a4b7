/** How often and how long a delivery is tried. Times in milliseconds. */
export interface RetryPolicy {
  /** Attempts that count: those a hospital answered with *later*. */
  readonly attempts: number;
  readonly firstMs: number;
  readonly maxMs: number;
  /** The delivery gives up this long after it was kept. */
  readonly forMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 8,
  firstMs: 5_000,
  maxMs: 600_000,
  forMs: 24 * 3_600_000,
};

/**
 * The pause before try number `tries` + 1, `tries` counting from 1: a random part ("full jitter")
 * of a span that doubles from `firstMs` to `maxMs`, so that what failed together does not return together.
 */
export function delayAfter(tries: number, { firstMs, maxMs }: RetryPolicy, fraction: number): number {
  const span = Math.min(firstMs * 2 ** Math.min(tries - 1, 30), maxMs);
  return Math.ceil(span * fraction);
}
