import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a hospital and counts how many requests it has before it at once. */
export interface CountingProxy {
  readonly address: string;
  /** How many were without an answer at the same time, at most. */
  readonly mostAtOnce: () => number;
  readonly close: () => void;
}

/** Passes everything on to `target` as it is. */
export async function countingProxy(target: string): Promise<CountingProxy> {
  let now = 0;
  let most = 0;
  const server = createServer((incoming, outgoing) => {
    now += 1;
    most = Math.max(most, now);
    outgoing.once('close', () => {
      now -= 1;
    });
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mostAtOnce: () => most,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
