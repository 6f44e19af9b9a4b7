import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { format } from 'node:util';
import { main } from '../../cli/main.ts';

const PROGRAM = resolve(import.meta.dirname, '../../cli/hisbridge.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the command line as a process of its own. What the environment does not say comes from nowhere else. */
export function hisbridge(
  args: readonly string[],
  {
    env = {},
    until,
  }: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    /** Interrupts it once its output holds this. */
    readonly until?: string;
  } = {},
): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH, HOME, ...env } });
  let [stdout, stderr] = ['', ''];
  let interrupted = false;
  const look = () => {
    if (interrupted || until === undefined || !`${stdout}${stderr}`.includes(until)) return;
    // Once: a second one ends it at once, without an exit code.
    interrupted = child.kill('SIGINT');
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  return new Promise((ended, failed) => {
    child.once('error', failed);
    child.once('close', (code) => ended({ code, stdout, stderr }));
  });
}

/**
 * Runs one command in this process, where starting one takes longer than running it. For the time of the command
 * its environment is that of the process, and what it prints is kept. One at a time.
 */
export async function hisbridgeHere(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Ended> {
  const { console: terminal } = globalThis;
  const before = { env: process.env, log: terminal.log, error: terminal.error, code: process.exitCode };
  let [stdout, stderr] = ['', ''];
  terminal.log = (...said) => {
    stdout += `${format(...said)}\n`;
  };
  terminal.error = (...said) => {
    stderr += `${format(...said)}\n`;
  };
  process.env = { ...before.env, ...env };
  process.exitCode = undefined;
  try {
    await main(args);
    return { code: Number(process.exitCode ?? 0), stdout, stderr };
  } finally {
    process.env = before.env;
    process.exitCode = before.code;
    terminal.log = before.log;
    terminal.error = before.error;
  }
}
