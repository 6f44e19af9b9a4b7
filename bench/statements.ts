import type pg from 'pg';
import { table } from './figures.ts';

interface Row {
  readonly query: string;
  readonly calls: string;
  readonly us: number;
  readonly rows: string;
  readonly wal: string;
  readonly blocks: string;
}

const MOST = 30;
const WIDTH = 100;

/** Prints what every statement in `database` cost the server since the last reset, by conversation. */
export async function printStatements(
  owner: pg.Client,
  database: string | undefined,
  conversations: number,
): Promise<void> {
  const { rows } = await owner.query<Row>(
    `select s.query, s.calls, 1000 * s.total_exec_time as us, s.rows, s.wal_bytes as wal,
         s.shared_blks_hit + s.shared_blks_read as blocks
       from pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = $1 order by s.total_exec_time desc limit ${MOST}`,
    [database],
  );
  const each = (value: number | string, digits = 0) => (Number(value) / conversations).toFixed(digits);
  console.log(
    '\nBy statement, per conversation (microseconds in the executor; not parsing, sockets and commits)',
  );
  table(
    ['', 'us', 'calls', 'rows', 'WAL', 'pages'],
    rows.map(({ query, us, calls, rows: written, wal, blocks }) => [
      shortly(query),
      each(us, 1),
      each(calls, 4),
      each(written, 2),
      each(wal),
      each(blocks, 1),
    ]),
  );
}

/** What is selected from arrays says nothing; what is done with it stands behind. */
function shortly(query: string): string {
  const words = query.replace(/\s+/g, ' ').trim();
  return words.length > WIDTH ? `${words.slice(0, WIDTH - 1)}…` : words;
}
