import type pg from 'pg';

/** How long the server has to answer a goodbye. */
const GOODBYE_MS = 1_000;

/**
 * Waits for an end that a silent network may never let come, and after a second breaks off what still
 * stands in its way. Resolves in either case.
 */
export async function endOrBreak(ending: Promise<unknown>, breakOff: () => void): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    breakOff();
    resolve();
  }, GOODBYE_MS);
  try {
    await Promise.race([ending, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Breaks a connection without a goodbye. */
export function hangUp(client: pg.Client): void {
  client.connection.stream.destroy();
}
