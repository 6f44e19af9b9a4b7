import pg from 'pg';
import { BridgeError } from '../../errors.ts';
import { failureOf, unavailable } from './failure.ts';
import { endOrBreak, hangUp } from './goodbye.ts';
import { checkVersion } from './migrate.ts';
import { ensurePartitions } from './partitions.ts';
import { PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
import { dangers, leaveTrace, strangeKey } from './safety.ts';

export type { PostgresStore } from './postgres-store.ts';

/** Making the places of the days ahead takes no longer; a network gone silent would. */
const READ_TIMEOUT_MS = 30_000;

export interface OpenOptions extends PostgresStoreOptions {
  /** An engine works with it from now on: a database without a trace of its digest key is begun with this one. */
  readonly begins?: boolean;
  /** Opens even where a setting of the server voids the promise; the store's `dangers` then says which. */
  readonly allowUnsafe?: boolean;
}

/**
 * Opens the store. Throws `store-outdated` when the tables are not those of this version,
 * `store-unsafe` when a setting of the server or another digest key voids the promise, `store-unavailable` when it is not
 * there. The clock follows the database from now on, and the days ahead have their places.
 */
export async function openPostgresStore(options: OpenOptions): Promise<PostgresStore> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'hisbridge open',
    connectionTimeoutMillis: 5_000,
    query_timeout: READ_TIMEOUT_MS,
  });
  let broken = false;
  client.on('error', () => {
    broken = true;
  });
  try {
    await client.connect();
  } catch (thrown) {
    throw unavailable(thrown);
  }
  try {
    await checkVersion(client);
    const { found: settings, now } = await dangers(client);
    const refuse = (found: readonly string[]) => {
      if (found.length > 0 && options.allowUnsafe !== true)
        throw new BridgeError('store-unsafe', found.join('; '), { details: { dangers: found.length } });
    };
    refuse([...settings, ...(await strangeKey(client, options.digest))]);
    // Only after nothing is against it: whoever merely looks, or is refused, must not decide.
    if (options.begins === true) await leaveTrace(client, options.digest);
    const found = [...settings, ...(await strangeKey(client, options.digest))];
    refuse(found);
    options.clock.follow(now);
    await ensurePartitions(client);
    return new PostgresStore(options, found);
  } catch (thrown) {
    throw broken || failureOf(thrown) === 'lost' ? unavailable(thrown) : thrown;
  } finally {
    await endOrBreak(client.end(), () => hangUp(client));
  }
}
