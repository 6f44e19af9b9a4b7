import { DEFAULT_RETRY, type RetryPolicy } from '../retry.ts';
import { type Compilation, reportValue } from './compilation.ts';
import type { RetryConfig } from './config.ts';
import type { At } from './positions.ts';
import { parseDuration } from './units.ts';

/** Compiles `retry:` of the route at `at`; what is left out is as usual. */
export function compileRetry(compilation: Compilation, config: RetryConfig, at: At): RetryPolicy {
  const ms = (text: string | undefined, usual: number) =>
    text === undefined ? usual : (parseDuration(text) ?? usual);
  const policy: RetryPolicy = {
    attempts: config.attempts ?? DEFAULT_RETRY.attempts,
    firstMs: ms(config.first, DEFAULT_RETRY.firstMs),
    maxMs: ms(config.max, DEFAULT_RETRY.maxMs),
    forMs: ms(config.for, DEFAULT_RETRY.forMs),
  };
  if (policy.firstMs > policy.maxMs) {
    // Reported where a value is written: the other one may be the usual one.
    const key = config.first === undefined ? 'max' : 'first';
    reportValue(
      compilation,
      [...at, key],
      'the first pause is longer than the longest',
      'Make first at most max (10m when left out).',
    );
  }
  if (policy.maxMs > policy.forMs) {
    const key = config.max === undefined ? 'for' : 'max';
    reportValue(
      compilation,
      [...at, key],
      'the longest pause is longer than the whole time',
      'Make max (10m when left out) at most for (24h when left out).',
    );
  }
  return policy;
}
