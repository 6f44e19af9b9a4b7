import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads are kept: HISBRIDGE_CACHE, else `~/.cache/hisbridge` so that checkouts share them, else in the sandbox. */
export function cacheFolder(folder: string): string {
  const chosen = process.env['HISBRIDGE_CACHE'];
  if (chosen) return made(chosen);
  try {
    return made(join(homedir(), '.cache', 'hisbridge'));
  } catch {
    // No home, or one we cannot write to: `nobody` has none.
    return made(join(folder, 'cache'));
  }
}

function made(path: string): string {
  mkdirSync(path, { recursive: true });
  accessSync(path, constants.W_OK);
  return path;
}
