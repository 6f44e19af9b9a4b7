#!/usr/bin/env node
// Runs the command line with Node 24 or newer: this one, or the one that is installed as a package.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node24 } from './node24.mjs';

const node = node24();
if (node === process.execPath) await import('./hisbridge.ts');
else standInFor(node);

/** Same terminal, same signals, same exit code. */
function standInFor(node) {
  const program = join(dirname(fileURLToPath(import.meta.url)), 'hisbridge.ts');
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
