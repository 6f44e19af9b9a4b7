import { join } from 'node:path';

import { CHECKOUT } from '../environment.ts';
import type { Log } from '../servers/server.ts';
import { runChild } from './child.ts';
import { Part, type Ready } from './part.ts';
import { portFor } from './ports.ts';

const COMMAND = join(CHECKOUT, 'cli/hisbridge.ts');

export interface EngineOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly say: Log;
  readonly onEvent: (event: Ready) => void;
}

/** Starts the engine as a process of its own, as `hisbridge run` in the checkout. */
export async function startEngine(
  options: EngineOptions,
): Promise<{ readonly part: Part; readonly ready: Ready }> {
  const { folder, env, say, onEvent } = options;
  const metrics = await portFor(folder, 'metrics');
  return Part.start({
    name: 'engine',
    args: [COMMAND, 'run', '--metrics-port', `${metrics}`, '--log-level', 'debug'],
    cwd: CHECKOUT,
    folder,
    env,
    isReady: (line) => line['event'] === 'ready',
    onEvent,
    say,
    graceMs: 20_000,
  });
}

/** Runs one command of `hisbridge` to its end. Throws with what it printed when it fails. */
export async function hisbridge(
  folder: string,
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<void> {
  await runChild({
    name: `hisbridge ${args.join(' ')}`,
    command: process.execPath,
    args: [COMMAND, ...args],
    cwd: CHECKOUT,
    env,
    folder,
  });
}
