import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hospitalControl, parseJournal } from '../../sandbox/hospitals/control.ts';
import { decodeEntry, type JournalLine } from '../../sandbox/hospitals/journal.ts';

export type { JournalLine };
export { parseJournal };

/** The journal of a running hospital, from its control address. */
export function journalOf(control: string, since = 0): Promise<readonly JournalLine[]> {
  return hospitalControl(control).journal(since);
}

/** The journal of a hospital that is not running, from its file. A torn last line is left out, as at its start. */
export async function journalOnDisk(folder: string, name: string): Promise<readonly JournalLine[]> {
  const content = await readFile(join(folder, `${name}.jsonl`), 'utf8');
  const whole = content.slice(0, content.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const entry = decodeEntry(line);
      return 'line' in entry ? [entry.line] : [];
    });
}

/** The lines that changed something, in the order in which they did. */
export function effects(lines: readonly JournalLine[]): readonly JournalLine[] {
  return lines.filter(({ effect }) => effect !== 'none').toSorted((one, other) => one.seq - other.seq);
}

/** The effects of one booking. */
export function effectsOn(lines: readonly JournalLine[], reference: string): readonly JournalLine[] {
  return effects(lines).filter((line) => line.reference === reference);
}
