import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { BridgeError } from '../../engine/errors.ts';

// Below the range the kernel takes for outgoing connections, or a port of ours could be gone at the next start.
const FIRST = 20_000;
const LAST = 31_999;

/** The port `name` had at the last start while it is still free, else a new one, remembered. On loopback, below 65 536. */
export async function portFor(folder: string, name: string): Promise<number> {
  const file = join(folder, 'ports', name);
  const before = remembered(file);
  if (before !== null && (await isFree(before))) return before;
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(FIRST, LAST + 1);
    if (!(await isFree(port))) continue;
    mkdirSync(join(folder, 'ports'), { recursive: true });
    writeFileSync(file, `${port}\n`);
    return port;
  }
  throw new BridgeError('not-allowed', `no free port between ${FIRST} and ${LAST} on 127.0.0.1`);
}

function remembered(file: string): number | null {
  try {
    const port = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
