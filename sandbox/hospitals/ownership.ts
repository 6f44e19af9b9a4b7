import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { resolve } from 'node:path';

/**
 * Takes a folder for this process until it ends, however it ends. Answers null, or the number of the process that
 * has it already: two writers of one journal would make it worthless.
 */
export async function takeFolder(folder: string, name: string): Promise<string | null> {
  // Abstract sockets, which vanish with their process, are Linux's. Elsewhere nothing is guarded.
  if (process.platform !== 'linux') return null;
  const digest = createHash('sha256')
    .update(`${resolve(folder)}\n${name}`)
    .digest('hex')
    .slice(0, 32);
  const path = `\0hisbridge-hospital-${digest}`;
  const server = createServer((asking) => asking.end(String(process.pid)));
  server.unref();
  try {
    server.listen(path);
    await once(server, 'listening');
    return null;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
    return ownerAt(path);
  }
}

async function ownerAt(path: string): Promise<string> {
  const owner = connect(path).setEncoding('utf8');
  let text = '';
  for await (const chunk of owner) text += String(chunk);
  return text;
}
