import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

import { BridgeError } from '../../engine/errors.ts';
import { endProcessesOf, processesOf } from './processes.ts';

/** What `.sandbox/lock` says to whoever finds it. */
interface LockFile {
  readonly pid: number;
  readonly since: string;
  readonly holds: string;
  readonly frees: string;
}

export interface Lock {
  release(): Promise<void>;
  /** For a process that ends in the same moment: the kernel does the rest. */
  releaseNow(): void;
}

/**
 * Makes this process the only launcher of `folder`, and ends what a launcher that crashed left running.
 * Throws `not-allowed`, naming the process that holds the folder and the command that frees it.
 *
 * The kernel is the lock: a name in the abstract socket space is free the moment its process is gone. The file only tells people.
 */
export async function takeLock(folder: string, log: (line: string) => void): Promise<Lock> {
  const path = join(folder, 'lock');
  const before = lockFile(path);
  const name = await holdName(folder);
  if (name === null) throw new BridgeError('not-allowed', heldText(folder, before));

  try {
    await clean(folder, before, log);
  } catch (error) {
    await close(name);
    throw error;
  }
  const content: LockFile = {
    pid: process.pid,
    since: new Date().toISOString(),
    holds: folder,
    frees: `kill ${process.pid}`,
  };
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  return {
    async release() {
      rmSync(path, { force: true });
      await close(name);
    },
    releaseNow: () => rmSync(path, { force: true }),
  };
}

async function clean(folder: string, before: LockFile | null, log: (line: string) => void): Promise<void> {
  const left = processesOf(folder);
  if (before !== null)
    log(`The last start (process ${before.pid}, since ${before.since}) did not end in order.`);
  if (left.length === 0) return;
  for (const { pid, what } of left) log(`  ending what is left of it: ${pid} ${what}`);
  const stubborn = await endProcessesOf(folder, 15_000);
  if (stubborn.length === 0) return;
  const lines = stubborn.map(({ pid, what }) => `  ${pid} ${what}`);
  const pids = stubborn.map(({ pid }) => pid).join(' ');
  throw new BridgeError(
    'not-allowed',
    [
      `Processes of an earlier start still hold ${folder}:`,
      ...lines,
      `End them with: sudo kill -9 ${pids}`,
    ].join('\n'),
  );
}

function heldText(folder: string, held: LockFile | null): string {
  if (held === null) return `Another start is using ${folder} right now. Try again in a moment.`;
  const lines = processesOf(folder).map(({ pid, what }) => `  ${pid} ${what}`);
  return [
    `The sandbox is running already: process ${held.pid} holds ${folder} since ${held.since}, with`,
    ...lines,
    `End it with: ${held.frees}    (if it does not react: kill -9 ${held.pid}, the next start cleans up)`,
  ].join('\n');
}

function lockFile(path: string): LockFile | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockFile;
  } catch {
    return null;
  }
}

/** The name as a listening socket, or null when another process has it. */
function holdName(folder: string): Promise<Server | null> {
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: `\0hisbridge-${digest}` }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
