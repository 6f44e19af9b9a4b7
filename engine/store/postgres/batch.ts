import type { Clock } from '../../clock.ts';
import { BridgeError } from '../../errors.ts';
import type { Telemetry } from '../../telemetry.ts';
import { int8s } from './arrays.ts';
import type { Connection, Rows, Session } from './connection.ts';
import { type Failure, failureOf, unavailable } from './failure.ts';
import { type Call, call, LOCK } from './statements.ts';

export type What = 'keep' | 'edition' | 'settle';

/** How often a batch that met another transaction is run again. */
const RUNS = 5;
const RETRY_MS = 200;

export interface Surroundings {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** How long a batch whose COMMIT got no reply is looked for. Milliseconds. */
  readonly unknownForMs: number;
  /** Makes the day partitions that these ids belong to. */
  readonly makePlaces: (ids: readonly string[]) => Promise<void>;
}

/** The second half of a transaction: what was decided, and the calls that write it. */
export interface Writing<Decided> {
  readonly decided: Decided;
  readonly calls: readonly Call[];
}

export interface Transaction<Decided, Result> {
  readonly what: What;
  /** Sorted, and never empty: who takes them again knows that this transaction is over. */
  readonly locks: readonly bigint[];
  readonly read: readonly Call[];
  readonly decide: (rows: readonly Rows[]) => Writing<Decided>;
  /** `replies` by the name of the statement. */
  readonly committed: (decided: Decided, replies: ReadonlyMap<string, Rows>) => Result;
  /** One call that returns a row when the batch is on disk. */
  readonly mark: (decided: Decided) => Call;
  /** Passed when all is decided and nothing written; what it throws leaves nothing behind. */
  readonly moments: (decided: Decided) => void;
  /** The result of a batch that was found on disk. */
  readonly found: (decided: Decided, session: Session) => Promise<Result>;
}

/**
 * Locks and reads, decides, writes and commits: two round trips. A COMMIT without a reply is looked
 * up on a new connection until the answer is known; a batch that is not there is run again.
 */
export async function transact<Decided, Result>(
  connection: Connection,
  around: Surroundings,
  transaction: Transaction<Decided, Result>,
): Promise<Result> {
  const began = around.clock.monotonicMs();
  return connection.exclusive(async (first) => {
    let session = first;
    for (;;) {
      const { decided, calls } = await lockAndDecide(session, transaction);
      pass(session, () => transaction.moments(decided));
      if (calls.length === 0) {
        await session.send(['rollback']).catch(() => session.destroy());
        return transaction.committed(decided, new Map());
      }
      try {
        const rows = await session.send([...calls, 'commit']);
        return transaction.committed(decided, new Map(calls.map(({ name }, at) => [name, rows[at] ?? []])));
      } catch (thrown) {
        if (failureOf(thrown) !== 'lost') throw thrown;
      }
      const lookup = await lookUp(connection, around, transaction, { decided, name: session.name, began });
      if (lookup.found) return lookup.result;
      session = await connection.open();
    }
  });
}

function pass(session: Session, moments: () => void): void {
  try {
    moments();
  } catch (thrown) {
    session.destroy();
    throw unavailable(thrown);
  }
}

async function lockAndDecide<Decided, Result>(
  session: Session,
  { locks, read, decide }: Transaction<Decided, Result>,
): Promise<Writing<Decided>> {
  try {
    const rows = await session.send(['begin', call(LOCK, int8s(locks)), ...read]);
    return decide(rows.slice(2));
  } catch (thrown) {
    if (!session.broken) await session.send(['rollback']).catch(() => session.destroy());
    throw thrown;
  }
}

type Found<Result> = { readonly found: true; readonly result: Result } | { readonly found: false };

async function lookUp<Decided, Result>(
  connection: Connection,
  { clock, telemetry, unknownForMs }: Surroundings,
  { what, locks, mark, found }: Transaction<Decided, Result>,
  { decided, name, began }: { readonly decided: Decided; readonly name: string; readonly began: number },
): Promise<Found<Result>> {
  for (;;) {
    try {
      const session = await connection.open();
      // The old backend may still be busy with our COMMIT. Ended, or waited for by its locks, it can change nothing more.
      const rows = await session.send([
        'begin',
        { name: '', text: TERMINATE, values: [name] },
        call(LOCK, int8s(locks)),
        mark(decided),
        'commit',
      ]);
      const there = (rows[3] ?? []).length > 0;
      const result = there ? await found(decided, session) : undefined;
      telemetry.emit({ kind: 'commit-unknown', what, found: there });
      return result === undefined ? { found: false } : { found: true, result };
    } catch (thrown) {
      if (clock.monotonicMs() - began > unknownForMs) throw unavailable(thrown);
      await clock.sleep(RETRY_MS);
    }
  }
}

const TERMINATE = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = $1 and usename = current_user and pid <> pg_backend_pid()`;

/**
 * Runs a batch; once more when it met another transaction or a day without a place; row by row when
 * one of its rows cannot be written. `alone` decides about a row that fails by itself.
 */
export async function runBatch<Row, Result>(
  what: What,
  batch: readonly Row[],
  around: Surroundings,
  {
    run,
    alone,
    ids,
  }: {
    readonly run: (rows: readonly Row[]) => Promise<readonly Result[]>;
    readonly alone: (row: Row, thrown: unknown) => Promise<Result>;
    readonly ids: (rows: readonly Row[]) => readonly string[];
  },
): Promise<readonly Result[]> {
  let thrown: unknown;
  let failure: Failure = 'again';
  for (let runs = 1; runs <= RUNS; runs += 1) {
    try {
      return await run(batch);
    } catch (failed) {
      thrown = failed;
    }
    failure = failureOf(thrown);
    if (failure === 'lost' || failure === 'away') throw unavailable(thrown);
    if (failure === 'row') break;
    around.telemetry.emit({ kind: 'batch-retried', what, reason: failure });
    if (failure === 'place')
      await around.makePlaces(ids(batch)).catch((cause) => Promise.reject(unavailable(cause)));
  }
  const [only] = batch;
  if (only === undefined) return [];
  if (batch.length === 1) {
    if (failure !== 'row') throw unavailable(thrown);
    return [await alone(only, thrown).catch((cause) => Promise.reject(unavailable(cause)))];
  }
  around.telemetry.emit({ kind: 'batch-retried', what, reason: 'row by row' });
  const results: Result[] = [];
  for (const row of batch) {
    results.push(...(await runBatch(what, [row], around, { run, alone, ids })));
  }
  return results;
}

/** Thrown when the store finds that it would break its own rules. */
export function mismatch(what: string): BridgeError {
  return new BridgeError('store-mismatch', what);
}
