import { mkdirSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';

import { BridgeError } from '../engine/errors.ts';
import { removeEndpoints, SANDBOX_FOLDER } from './environment.ts';
import { demonstrate } from './launcher/demo.ts';
import { type Lock, takeLock } from './launcher/lock.ts';
import { whenNpmEnds } from './launcher/parent.ts';
import { endProcessesOf, killProcessesOf } from './launcher/processes.ts';
import { Sandbox } from './launcher/sandbox.ts';
import { Trail } from './launcher/trail.ts';
import { WAYS_ON } from './launcher/ways-on.ts';

const USAGE =
  'usage: npm start [-- --no-demo]\n  --no-demo   start the example network without publishing anything';

/** A Ctrl-C reaches npm and us, and npm hands it on: two at once are one. */
const SAME_KEYPRESS_MS = 700;

const folder = SANDBOX_FOLDER;
const say = (line: string) => console.log(line);
const sandbox = new Sandbox(folder, say);
let lock: Lock | null = null;
let endingSince: number | null = null;

// Whoever reads our output may go away (npm start | head): that ends nothing by itself.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
whenNpmEnds(() => onSignal('SIGTERM'));
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => {
    console.error('The launcher failed. This is a defect; everything it started is ended.', error);
    endAtOnce(1);
  });
}

await main();

async function main(): Promise<void> {
  const demo = demoWanted();
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  try {
    lock = await takeLock(folder, say);
    removeEndpoints(folder);
    say('Starting the example network: Dawy, two hospitals, the engine.');
    const since = performance.now();
    const trail = new Trail(say);
    const { amqp } = await sandbox.start((event) => trail.take(event));
    say(
      `All is up after ${((performance.now() - since) / 1000).toFixed(1)} s. Addresses: ${relative(process.cwd(), folder)}/endpoints.json`,
    );
    if (demo) await demonstrate(amqp, trail, say);
    for (const line of WAYS_ON) say(line);
  } catch (error) {
    // Ended while it started: what fails then fails because of that.
    if (endingSince !== null) return;
    console.error(error instanceof BridgeError ? error.message : error);
    await end(1);
  }
}

function demoWanted(): boolean {
  try {
    const { values } = parseArgs({ options: { 'no-demo': { type: 'boolean', default: false } } });
    return !values['no-demo'];
  } catch {
    console.error(USAGE);
    process.exit(2);
  }
}

function onSignal(signal: NodeJS.Signals): void {
  if (endingSince === null) {
    say(`\n${signal}: ending in order. Once more ends it at once.`);
    end(0).catch((error: unknown) => {
      console.error(error);
      endAtOnce(1);
    });
  } else if (performance.now() - endingSince > SAME_KEYPRESS_MS) {
    endAtOnce(130);
  }
}

async function end(code: number): Promise<void> {
  endingSince = performance.now();
  // Without the lock the addresses are those of the sandbox that has it.
  if (lock !== null) removeEndpoints(folder);
  await sandbox.stop();
  // Whatever was being started when the end came: a download, a server that boots.
  if (lock !== null) await endProcessesOf(folder, 15_000);
  endAtOnce(code);
}

function endAtOnce(code: number): never {
  if (lock !== null) {
    killProcessesOf(folder);
    removeEndpoints(folder);
    lock.releaseNow();
  }
  process.exit(code);
}
