import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hospital } from './hospital.ts';
import { type Misbehaviours, readMisbehaviour } from './misbehaviour.ts';

interface Parts {
  readonly name: string;
  readonly kind: 'rest' | 'soap';
  readonly hospital: Hospital;
  readonly misbehaviours: Misbehaviours;
  readonly seed: number;
  readonly address: () => string;
  readonly failed: (thrown: unknown) => void;
}

/** Opens the way in for whoever breaks, heals and reads the hospital; resolves with the server and its address. */
export async function serveControl(parts: Parts, port: number): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    handle(parts, request, response).catch(parts.failed);
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function handle(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /journal': {
      const lines = await parts.hospital.journal(Number(url.searchParams.get('since') ?? 0) || 0);
      response.writeHead(200, { 'content-type': 'application/jsonl; charset=utf-8' });
      response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return;
    }
    case 'GET /calendar':
      return answer(response, 200, await parts.hospital.appointments());
    case 'GET /status':
      return answer(response, 200, status(parts));
    case 'POST /misbehave':
      return misbehave(parts, await bodyOf(request), response);
    case 'DELETE /misbehave':
      await parts.misbehaviours.heal();
      return answer(response, 200, status(parts));
    case 'POST /reset':
      await parts.hospital.reset();
      return answer(response, 200, status(parts));
    default:
      return answer(response, 404, { problem: `nothing is served at ${request.method} ${url.pathname}` });
  }
}

function status({ name, kind, address, misbehaviours, hospital }: Parts) {
  return {
    name,
    kind,
    address: address(),
    listening: !misbehaviours.isDown,
    misbehaviours: misbehaviours.list(),
    ...hospital.counts(),
  };
}

async function misbehave(parts: Parts, body: unknown, response: ServerResponse): Promise<void> {
  const read = readMisbehaviour(body, parts.seed);
  const problem =
    typeof read !== 'string' && read.mode === 'fault-200' && parts.kind !== 'soap'
      ? `fault-200 is for SOAP; ${parts.name} speaks ${parts.kind}`
      : read;
  if (typeof problem === 'string') {
    answer(response, 400, { problem });
    return;
  }
  await parts.misbehaviours.start(problem);
  answer(response, 200, status(parts));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // Not JSON, or the caller went away: `readMisbehaviour` says so, the hospital goes on.
    return null;
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
