import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { connectionLost, sqlState, unavailable } from './failure.ts';
import { endOrBreak, hangUp } from './goodbye.ts';
import { type Call, call, type Statement } from './statements.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up before we do, so that an answer is an answer. */
const STATEMENT_TIMEOUT_MS = 20_000;
const READ_TIMEOUT_MS = 30_000;
/** A transaction whose client is gone must not keep its lanes locked. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/**
 * Plans that cannot go wrong as tables fill: generic ones, by index, in nested loops. `jit=off` is a
 * must: the cost that stands for a disabled scan would start the compiler.
 */
const PLANNING =
  '-c timezone=UTC -c datestyle=ISO -c jit=off -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';

/** Where the connections of a store go. */
export interface Server {
  readonly url: string;
}

export type Rows = readonly Readonly<Record<string, unknown>>[];

const TIMESTAMPTZ = 1184;

/** As pg reads values, but for instants: in UTC and ISO style, as these connections ask for, they are nearly what Date reads by itself. */
const parserOf: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === TIMESTAMPTZ ? instant : pg.types.getTypeParser(oid, format as 'text');

/** `2026-11-25 08:00:00.123+00`. Whatever else a server writes, whose URL has options of its own, pg reads. */
function instant(text: string): Date {
  if (!text.endsWith('+00') || text.length > 32) return pg.types.getTypeParser(TIMESTAMPTZ, 'text')(text);
  return new Date(`${text.slice(0, 10)}T${text.slice(11)}:00`);
}

/** One open connection. Calls sent together share a round trip and run in their order. */
export class Session {
  /** Unique among all sessions: finds its backend from another connection. */
  readonly name: string;
  readonly #client: pg.Client;
  #broken = false;

  constructor(client: pg.Client, name: string) {
    this.name = name;
    this.#client = client;
    const broken = () => {
      this.#broken = true;
    };
    client.on('error', broken);
    client.on('end', broken);
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Resolves with the rows of every call. Throws what the first failed call met; `connectionLost` when the link broke. */
  async send(calls: readonly (Call | string)[]): Promise<readonly Rows[]> {
    if (this.#broken) throw connectionLost(null);
    const replies = await Promise.allSettled(this.#inOnePacket(calls));
    const failed = replies.find((reply) => reply.status === 'rejected');
    if (failed !== undefined) throw await this.#failure(failed.reason);
    return replies.map((reply) => (reply.status === 'fulfilled' ? reply.value.rows : []));
  }

  /** pg writes each call by itself; held back until the last one, all leave in one write. */
  #inOnePacket(calls: readonly (Call | string)[]): Promise<pg.QueryResult<Rows[number]>>[] {
    const { stream } = this.#client.connection;
    stream.cork();
    try {
      return calls.map((one) => this.#client.query<Rows[number]>(one as Call));
    } finally {
      stream.uncork();
    }
  }

  async one(text: string, values: unknown[] = []): Promise<Rows> {
    const [rows = []] = await this.send([{ text, values } as unknown as Call]);
    return rows;
  }

  /** The server answers with an SQLSTATE; whatever else pg throws means that the stream cannot be trusted any more. */
  async #failure(reason: unknown): Promise<unknown> {
    if (sqlState(reason) !== null && !this.#broken) return reason;
    this.destroy();
    return connectionLost(reason);
  }

  /** The process id of its backend. */
  get backend(): number | undefined {
    return 'processID' in this.#client && typeof this.#client.processID === 'number'
      ? this.#client.processID
      : undefined;
  }

  get client(): pg.Client {
    return this.#client;
  }

  /** Breaks the connection without a goodbye. */
  destroy(): void {
    this.#broken = true;
    hangUp(this.#client);
  }

  /** Ends it; a server that does not answer the goodbye is not waited for. */
  async end(): Promise<void> {
    if (this.#broken) return;
    this.#broken = true;
    await endOrBreak(this.#client.end(), () => this.destroy());
  }
}

/** A connection for one purpose, used by one caller at a time, opened when it is needed and after it broke. */
export class Connection {
  readonly #server: Server;
  readonly #purpose: string;
  readonly #warm: readonly Statement[];
  #session: Session | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(server: Server, purpose: string, warm: readonly Statement[]) {
    this.#server = server;
    this.#purpose = purpose;
    this.#warm = warm;
  }

  /** Runs `work` alone on the connection, after whoever came before. Throws `store-unavailable` when it cannot be opened. */
  exclusive<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#tail.then(async () => work(await this.open()));
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** The open session; for use inside `exclusive` after the one that was given broke. */
  async open(): Promise<Session> {
    if (this.#session !== null && !this.#session.broken) return this.#session;
    if (this.#closed) throw unavailable(null);
    try {
      this.#session = await connect(this.#server, this.#purpose, this.#warm);
    } catch (thrown) {
      throw unavailable(thrown);
    }
    return this.#session;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail;
    await this.#session?.end();
  }
}

/**
 * Opens one session and prepares its statements in one round trip, so that an error
 * in the middle of a batch cannot leave some of them unknown to the server.
 */
export async function connect(server: Server, purpose: string, warm: readonly Statement[]): Promise<Session> {
  const name = `hisbridge ${purpose} ${randomUUID().slice(0, 13)}`;
  const client = new pg.Client({
    connectionString: server.url,
    application_name: name,
    options: PLANNING,
    types: { getTypeParser: parserOf },
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: READ_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  });
  const session = new Session(client, name);
  try {
    await client.connect();
    await session.send(['begin', ...warm.map((statement) => call(statement, ...statement.idle)), 'rollback']);
    return session;
  } catch (thrown) {
    session.destroy();
    throw thrown;
  }
}
