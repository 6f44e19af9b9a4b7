/** A REST hospital that costs as little as node:http can: it books whatever it is asked for, and remembers when. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, sharedClockMs } from './remote.ts';

/** One request as it arrived. */
export interface Received {
  readonly reference: string;
  readonly key: string;
  readonly atMs: number;
}

/** Everything of a request that a hospital could tell apart. */
export interface Requested {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const received: Received[] = [];
let journal: Requested[] | null = null;
let port = 0;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const atMs = sharedClockMs();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => book(request, Buffer.concat(chunks), atMs, response));
});

interface Asked {
  readonly externalReference: string;
  readonly start: string;
  readonly end: string;
}

function book(request: IncomingMessage, body: Buffer, atMs: number, response: ServerResponse): void {
  const { externalReference, start, end } = JSON.parse(body.toString()) as Asked;
  const { method, url, headers } = request;
  journal?.push({ line: `${method} ${url}`, headers, body: body.toString() });
  const key = String(request.headers['idempotency-key']);
  received.push({ reference: externalReference, key, atMs });
  const said = JSON.stringify({
    requestKey: key,
    id: `RV-${externalReference.slice(3)}`,
    externalReference,
    status: 'BOOKED',
    start,
    end,
  });
  response.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(said) });
  response.end(said);
}

function listen(): Promise<string> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      port = (server.address() as AddressInfo).port;
      resolve(`http://127.0.0.1:${port}`);
    });
  });
}

answer({
  listen,
  /** Remembers requests as a whole from now on. */
  watch: () => {
    journal = [];
  },
  journal: () => journal ?? [],
  /** Everything that was received since the last question. */
  received: () => received.splice(0),
  /** Down: nothing listens. Up again: where it was. */
  away: async (away: boolean) => {
    if (!away) return listen();
    server.close();
    server.closeAllConnections();
    return null;
  },
});
