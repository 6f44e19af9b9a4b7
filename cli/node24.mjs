// Finds Node 24 or newer: the one that runs this, or the one that is installed as a package.
// Run by itself it prints the path: "$(node cli/node24.mjs)" file.ts
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a Node that is new enough; exits with 2 and a sentence when there is none. */
export function node24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(node24());
