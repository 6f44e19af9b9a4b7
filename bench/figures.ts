/** The middle one; the mean of the two in the middle when there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** The value below which `part` of them lie: 0.99. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}

/** Prints rows under a head, the first column to the left and the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
    console.log(`  ${cells.join('  ')}`);
  }
}

/** One bar that a result is held against, said in a line. */
export function bar(name: string, value: number, sign: '≥' | '≤', limit: number, digits = 2): boolean {
  const ok = sign === '≥' ? value >= limit : value <= limit;
  console.log(`${name} ${value.toFixed(digits)} ${sign} ${limit.toFixed(digits)} ${ok ? 'ok' : 'MISSED'}`);
  return ok;
}
