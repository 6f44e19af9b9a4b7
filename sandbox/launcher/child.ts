import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { BridgeError } from '../../engine/errors.ts';

/** Every process of a sandbox carries its folder under this name, so that a later start recognizes what is its own. */
export const MARKER = 'HISBRIDGE_SANDBOX';

export interface ChildOptions {
  /** What people call it: `postgres`, `alnoor`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder of the sandbox it belongs to. */
  readonly folder: string;
  readonly cwd?: string;
  /** Added to the environment of the launcher; `null` takes a name out. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** A file that gets everything it prints; without it `onLine` and `onErrorLine` get the lines. */
  readonly logFile?: string;
  readonly onLine?: (line: string) => void;
  readonly onErrorLine?: (line: string) => void;
}

/** How a process ended: `exit code 1`, `signal SIGKILL`. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly how: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process is gone and its output was read. Never rejects. */
  readonly ended: Promise<Ended>;
  /** How it ended, or null while it runs. */
  howEnded(): string | null;
  /** Asks it to end, and after `graceMs` ends it. Resolves once it is gone. */
  stop(graceMs: number, signal?: NodeJS.Signals): Promise<void>;
  /** Ends it and everything in its process group at once. Resolves once it is gone. */
  kill(): Promise<void>;
}

/** Starts a process in a group of its own: a Ctrl-C in the terminal reaches the launcher alone, which ends things in order. */
export function startChild(options: ChildOptions): Child {
  const output = options.logFile === undefined ? null : openSync(options.logFile, 'a', 0o600);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: environmentOf(options),
    detached: true,
    stdio: ['ignore', output ?? 'pipe', output ?? 'pipe'],
  });
  if (output !== null) closeSync(output);
  if (child.stdout) readLines(child.stdout, options.onLine);
  if (child.stderr) readLines(child.stderr, options.onErrorLine);

  const ended = endOf(child);
  const { pid } = child;
  if (pid === undefined) return neverStarted(options, ended);

  let howEnded: string | null = null;
  void ended.then(({ how }) => {
    howEnded = how;
  });
  const kill = async () => {
    signalGroup(pid, 'SIGKILL');
    await ended;
  };
  return {
    name: options.name,
    pid,
    ended,
    howEnded: () => howEnded,
    kill,
    async stop(graceMs, signal = 'SIGTERM') {
      if (!isRunning(child)) return;
      child.kill(signal);
      const abort = new AbortController();
      const patience = delay(graceMs, 'late', { signal: abort.signal }).catch(() => 'ended');
      if ((await Promise.race([ended, patience])) === 'late') await kill();
      abort.abort();
    },
  };
}

/** Runs a command to its end. Resolves with what it printed; a failure throws with its last lines. */
export async function runChild(options: ChildOptions): Promise<string> {
  const printed: string[] = [];
  const complaints: string[] = [];
  const child = startChild({
    ...options,
    onLine(line) {
      printed.push(line);
      options.onLine?.(line);
    },
    onErrorLine(line) {
      complaints.push(line);
      options.onErrorLine?.(line);
    },
  });
  const { code, how } = await child.ended;
  if (code === 0) return printed.join('\n');
  const words = [...printed, ...complaints].filter((line) => line.trim() !== '').slice(-12);
  throw new BridgeError('not-allowed', [`${options.name} ended with ${how}`, ...words].join('\n  '));
}

function environmentOf({ env = {}, folder }: ChildOptions): NodeJS.ProcessEnv {
  const entries = Object.entries({ ...process.env, ...env, [MARKER]: folder });
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as NodeJS.ProcessEnv;
}

// At \n alone: node:readline also splits at U+2028 and U+2029, which may stand inside a line of JSON.
function readLines(stream: Readable, onLine: ((line: string) => void) | undefined): void {
  let begun = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) onLine?.(line.replace(/\r$/, ''));
  });
  stream.once('end', () => {
    if (begun !== '') onLine?.(begun);
  });
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, how: error.message }));
    child.once('close', (code, signal) => {
      resolve({ code, signal, how: signal === null ? `exit code ${code}` : `signal ${signal}` });
    });
  });
}

function neverStarted({ name, command }: ChildOptions, ended: Promise<Ended>): Child {
  const gone = async () => {
    await ended;
  };
  const howEnded = () => `${command} could not be started`;
  return { name, pid: -1, ended, howEnded, stop: gone, kill: gone };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the whole group has ended already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
