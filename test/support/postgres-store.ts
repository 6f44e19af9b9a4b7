import { SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { systemRandom } from '../../engine/random.ts';
import { plainSeal } from '../../engine/seal.ts';
import { openPostgresStore, type PostgresStore } from '../../engine/store/postgres/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { digest } from './store-conformance.ts';

/** Opens the store at an address; what it says of itself is added to `events`. */
export function openTestStore(
  url: string,
  events: EngineEvent[] = [],
  unknownForMs = 60_000,
): Promise<PostgresStore> {
  return openPostgresStore({
    url,
    seal: plainSeal,
    digest,
    clock: new SystemClock(),
    random: systemRandom,
    telemetry: { emit: (event) => events.push(event) },
    unknownForMs,
  });
}

/** The code a call rejects with; `none` when it resolves. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof BridgeError ? thrown.code : String(thrown)),
  );
}
