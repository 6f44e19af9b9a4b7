/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

const WORDS = { passing: 'passed', failing: 'failed', pending: 'skipped' } as const;

/** The counts mocha prints after the last test, or null when it has printed none. */
export function countsIn(lines: readonly string[]): Counts | null {
  let counts: Counts | null = null;
  for (const line of lines) {
    const match = /^ {2}(\d+) (passing|failing|pending)\b/.exec(withoutColor(line));
    if (match === null) continue;
    const word = WORDS[match[2] as keyof typeof WORDS];
    counts = { ...(counts ?? NONE), [word]: Number(match[1]) };
  }
  return counts;
}

/** Both together. */
export function addUp(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** The last line of a run. */
export function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function withoutColor(line: string): string {
  return line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
