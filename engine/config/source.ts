import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where the files of a configuration come from. Paths are relative to the folder of routes.yaml. */
export interface Source {
  /** The text of a file; null when there is none. */
  readonly read: (path: string) => string | null;
  /** The names of the files in a folder, sorted; none when there is no such folder. */
  readonly list: (folder: string) => readonly string[];
}

/** The files below a folder on disk. A path out of the folder, or an absolute one, is followed: secrets live elsewhere. */
export function readFolder(root: string): Source {
  return {
    read: (path) => orAbsent(() => readFileSync(resolve(root, path), 'utf8'), null),
    list: (folder) => {
      const entries = orAbsent(() => readdirSync(resolve(root, folder), { withFileTypes: true }), []);
      // A mounted ConfigMap holds symbolic links, so whatever is not a folder counts as a file.
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
    },
  };
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

function orAbsent<Found>(look: () => Found, absent: Found): Found {
  try {
    return look();
  } catch (thrown) {
    if (thrown instanceof Error && ABSENT.has(String((thrown as NodeJS.ErrnoException).code))) return absent;
    throw thrown;
  }
}

/** A source that remembers what it was asked, so that a change can be noticed without compiling. */
export interface RememberingSource extends Source {
  /** Whether any file or folder that was looked at, also one that was missing, is different now, or could not be looked at. */
  changed(): boolean;
}

/** Wraps a source. Asking it again for the same path gives what it gave first, so one compilation sees one state. */
export function remembering(source: Source): RememberingSource {
  const files = new Map<string, string | null>();
  const folders = new Map<string, readonly string[]>();
  // A look that throws is never counted: there is nothing to compare with, so that it has to be taken again.
  let begun = 0;
  let ended = 0;
  const counting =
    <Found>(look: (path: string) => Found) =>
    (path: string): Found => {
      begun += 1;
      const found = look(path);
      ended += 1;
      return found;
    };
  return {
    read: (path) => remembered(files, path, counting(source.read)),
    list: (folder) => remembered(folders, folder, counting(source.list)),
    changed: () =>
      ended < begun ||
      [...files].some(([path, text]) => source.read(path) !== text) ||
      [...folders].some(([folder, names]) => source.list(folder).join('\n') !== names.join('\n')),
  };
}

function remembered<Found>(known: Map<string, Found>, path: string, look: (path: string) => Found): Found {
  const before = known.get(path);
  if (before !== undefined) return before;
  const found = look(path);
  known.set(path, found);
  return found;
}
