#!/usr/bin/env node
// Runs the command line with Node 24 or newer: this one, or the one that is installed as a package.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = join(dirname(fileURLToPath(import.meta.url)), 'hisbridge.ts');
const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24;

if (isNewEnough) await import('./hisbridge.ts');
else runWith(pinnedNode());

/** Stands in for the child: same terminal, same signals, same exit code. */
function runWith(node) {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

function pinnedNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
  } catch {
    console.error(
      `hisbridge needs Node 24 or newer. This is ${process.version} and the package ${name} is not installed: run npm ci.`,
    );
    process.exit(2);
  }
}
