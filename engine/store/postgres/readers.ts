import pg from 'pg';
import { endOrBreak, hangUp } from './goodbye.ts';

const READERS = 4;
const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up before we do, so that an answer is an answer. */
const STATEMENT_TIMEOUT_MS = 30_000;
const READ_TIMEOUT_MS = 40_000;

/** The connections for reading: whatever plan suits a rare question, and never in the way of the ones that write. */
export class Readers {
  readonly pool: pg.Pool;
  readonly #clients = new Set<pg.PoolClient>();

  constructor(url: string) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: READERS,
      application_name: 'hisbridge read',
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: READ_TIMEOUT_MS,
    });
    // An idle reader that breaks is replaced by the next question.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => {
      // The pool listens to the idle ones alone. One that breaks between two statements of whoever has it fails the next.
      client.on('error', () => undefined);
      this.#clients.add(client);
    });
    this.pool.on('remove', (client) => this.#clients.delete(client));
  }

  /** Ends them once their questions are answered; a silent network is not waited for. */
  async close(): Promise<void> {
    await endOrBreak(this.pool.end(), () => {
      for (const client of this.#clients) hangUp(client as unknown as pg.Client);
    });
  }
}
