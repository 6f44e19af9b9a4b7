import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { MARKER } from './child.ts';

/** A process that is running and belongs to a sandbox. */
export interface Found {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly what: string;
}

/** The processes of the sandbox in `folder`, known by the marker in their environment. Needs `/proc`. */
export function processesOf(folder: string): readonly Found[] {
  const mark = `${MARKER}=${folder}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => fileOf(pid, 'environ').split('\0').includes(mark))
    .map((pid) => ({ pid: Number(pid), what: commandOf(pid) }));
}

/** True when the process runs with `folder` as its working directory: how a PostgreSQL of ours is told from another process of that number. */
export function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}

/** True while a process of that number exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ends every process of the sandbox: asked first, made to after `graceMs`. Resolves with those that could not be ended. */
export async function endProcessesOf(folder: string, graceMs: number): Promise<readonly Found[]> {
  signalAll(processesOf(folder), 'SIGTERM');
  if (await noneLeft(folder, graceMs)) return [];
  signalAll(processesOf(folder), 'SIGKILL');
  await noneLeft(folder, 5_000);
  return processesOf(folder);
}

/** Ends at once whatever the sandbox has left, without waiting. For the last moment of a launcher. */
export function killProcessesOf(folder: string): void {
  signalAll(processesOf(folder), 'SIGKILL');
}

async function noneLeft(folder: string, waitMs: number): Promise<boolean> {
  const until = performance.now() + waitMs;
  while (processesOf(folder).length > 0) {
    if (performance.now() > until) return false;
    await delay(50);
  }
  return true;
}

function signalAll(found: readonly Found[], signal: NodeJS.Signals): void {
  for (const { pid } of found) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // Gone meanwhile, or not ours to end: what is left is looked at again afterwards.
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

function commandOf(pid: string): string {
  const words = fileOf(pid, 'cmdline').split('\0').join(' ').trim();
  return words.length > 80 ? `${words.slice(0, 79)}…` : words;
}

/** Empty when the process is gone, or is another user's. */
function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
