import { stripVTControlCharacters, styleText } from 'node:util';

/** How the command is called in a checkout: what is printed can be typed as it stands. */
export const CALLED = 'npx hisbridge';

type Format = Parameters<typeof styleText>[0];

/** Text in a colour, where stdout is a terminal that wants any: `NO_COLOR` and a pipe get plain text. */
export function coloured(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stdout, validateStream: true });
}

/** Rows in columns as wide as their widest cell; the last one runs on. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((row) => lengthOf(row[column] ?? '')));
  const widths = (rows[0] ?? []).map((_cell, column) => width(column));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1
          ? cell
          : `${cell}${' '.repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell)))}`,
      )
      .join('  ')
      .trimEnd(),
  );
}

function lengthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Prints lines of data on stdout. */
export function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

/** Prints a value of data as one line of JSON on stdout. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value));
}

/** Says something to the person at the terminal, on stderr: never data. */
export function say(text: string): void {
  console.error(text);
}

/** `3 hours`, `1 hour`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A span of time for people: `850 ms`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}
