import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { CHECKOUT } from '../sandbox/environment.ts';
import { startChild } from '../sandbox/launcher/child.ts';
import { NETWORK } from './place.ts';

/** What carries the conversations of a round. */
export type SubjectName = 'engine' | 'floor';

export interface SubjectOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its log and its profile carry this name. */
  readonly label: string;
  /** What is to be told of it, besides its speed; null tells nothing. */
  readonly profile: Profiling | null;
}

export interface Profiling {
  readonly of: 'cpu' | 'allocations';
  /** The file it is written to when the subject is stopped. */
  readonly file: string;
}

/** A subject that is ready: everything it needs is open. */
export interface Subject {
  readonly pid: number;
  /** Rejects with its last words when it ends before it is stopped. */
  readonly died: Promise<never>;
  /** The most memory it ever had. */
  peakMb(): number;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;

/** Starts the real engine (`hisbridge run`, log level `info`, as users run it) or the floor. Rejects with its last words when it is not ready in time. */
export async function startSubject(
  name: SubjectName,
  { folder, env, label, profile }: SubjectOptions,
): Promise<Subject> {
  const logFile = join(folder, `${label}.log`);
  const program =
    name === 'engine'
      ? [join(CHECKOUT, 'cli/hisbridge.ts'), 'run', '--metrics-port', '0', '-c', NETWORK]
      : [join(CHECKOUT, 'bench/floor.ts')];
  const child = startChild({
    name: label,
    command: process.execPath,
    args: [...(profile === null ? [] : optionsFor(profile)), ...program],
    cwd: CHECKOUT,
    folder,
    env: profile === null ? env : { ...env, BENCH_ALLOCATIONS: profile.file },
    logFile,
  });
  const until = performance.now() + READY_WITHIN_MS;
  while (!readFileSync(logFile, 'utf8').includes('"event":"ready"')) {
    if (child.howEnded() !== null || performance.now() > until) {
      await child.kill();
      throw new Error(`${label} did not start:\n${readFileSync(logFile, 'utf8').slice(-4_000)}`);
    }
    await delay(20);
  }
  let stopped = false;
  const died = child.ended.then(({ how }): never => {
    throw new Error(
      stopped ? 'stopped' : `${label} died (${how}):\n${readFileSync(logFile, 'utf8').slice(-2_000)}`,
    );
  });
  // Nobody may be carrying anything when it is stopped.
  died.catch(() => undefined);
  return {
    pid: child.pid,
    died,
    peakMb: () =>
      Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024,
    stop: () => {
      stopped = true;
      return child.stop(30_000);
    },
  };
}

function optionsFor({ of, file }: Profiling): readonly string[] {
  return of === 'cpu'
    ? ['--cpu-prof', `--cpu-prof-dir=${dirname(file)}`, `--cpu-prof-name=${basename(file)}`]
    : ['--import', pathToFileURL(join(CHECKOUT, 'bench/allocations-preload.ts')).href];
}
