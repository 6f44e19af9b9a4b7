import type { Row } from './trial.ts';

const COLUMNS = [
  ['cell', (row: Row) => row.id],
  ['messages', (row: Row) => String(row.messages)],
  ['faults', (row: Row) => String(row.faults)],
  ['lost', (row: Row) => String(row.lost)],
  ['duplicate', (row: Row) => String(row.duplicates)],
  ['order breaks', (row: Row) => String(row.orderBreaks)],
  ['unknown', (row: Row) => String(row.unknown)],
  ['falsely told', (row: Row) => String(row.falselyTold)],
  ['seconds', (row: Row) => row.seconds.toFixed(1)],
  ['verdict', (row: Row) => (row.failure === null ? 'passed' : 'FAILED')],
] as const;

/** The heading of the table. */
export function heading(): string {
  return COLUMNS.map(([name]) => name.padEnd(width(name))).join('  ');
}

/** One row of the table, with its figures; one that failed says why and how it can be had again. */
export function line(row: Row, seed: number, more = ''): string {
  const cells = COLUMNS.map(([name, of]) => of(row).padEnd(width(name))).join('  ');
  const figures = row.figures.map((words) => `\n    ${words}`).join('');
  const failure =
    row.failure === null
      ? ''
      : `\n    ${row.failure}\n    again: npm run proof -- --cells ${row.id} --seed ${seed}${more}`;
  return `${cells.trimEnd()}${figures}${failure}`;
}

/** The last line. */
export function lastLine(rows: readonly Row[]): string {
  const failed = rows.filter(({ failure }) => failure !== null).length;
  return `${rows.length - failed} passed, ${failed} failed`;
}

function width(name: string): number {
  return name === 'cell' ? 10 : name.length;
}
