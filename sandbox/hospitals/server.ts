import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hospital, Interference, Request, Result } from './hospital.ts';
import type { Fate, Misbehaviours } from './misbehaviour.ts';
import { type Addressing, type Incoming, type Protocol, type Reply, torn } from './protocol.ts';

const LARGEST_BODY_BYTES = 4 * 1024 * 1024;

/** The door of a hospital: takes HTTP requests, and answers them as its misbehaviours let it. */
export class HospitalServer {
  readonly #hospital: Hospital;
  readonly #protocol: Protocol;
  readonly #misbehaviours: Misbehaviours;
  readonly #failed: (thrown: unknown) => void;
  #server: Server | null = null;
  #port: number;

  constructor(parts: {
    readonly hospital: Hospital;
    readonly protocol: Protocol;
    readonly misbehaviours: Misbehaviours;
    readonly port: number;
    /** Called when what was promised to disk is not there: the process must end. */
    readonly failed: (thrown: unknown) => void;
  }) {
    this.#hospital = parts.hospital;
    this.#protocol = parts.protocol;
    this.#misbehaviours = parts.misbehaviours;
    this.#failed = parts.failed;
    this.#port = parts.port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, at the same port as the time before. */
  async listen(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => {
      this.#exchange(request, response).catch(this.#failed);
    });
    server.keepAliveTimeout = 60_000;
    this.#server = server;
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen(this.#port, '127.0.0.1', listening);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every connection. */
  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = null;
  }

  async #exchange(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readBody(incoming);
    if (read === null) return;
    const aside = this.#protocol.aside(read);
    if (aside !== null) return send(response, aside);
    const request = this.#protocol.read(read);
    const fate = this.#misbehaviours.choose(request.ask.operation, this.#hospital.referenceOf(request.ask));
    if (fate.delayMs > 0) await later(fate.delayMs);
    if (fate.mode === 'reset-before' || fate.mode === 'silent') {
      const answer = fate.mode === 'silent' ? 'silent' : 'reset';
      await this.#hospital.notice(request, answer, fate.names.join('+'));
      if (fate.mode === 'reset-before') incoming.socket.resetAndDestroy();
      return;
    }
    await this.#serve(request, fate, response);
  }

  async #serve(request: Request, fate: Fate, response: ServerResponse): Promise<void> {
    const addressing: Addressing = { request, faultsWith200: fate.faultsWith200 };
    const served = this.#hospital.serve(
      request,
      (result) => labelled(fate, this.#protocol.write(result, addressing).label),
      this.#interference(fate),
    );
    await served.durable;
    if (fate.mode === 'reset-after') response.req.socket.resetAndDestroy();
    if (fate.mode === 'reset-after' || fate.mode === 'silent-after') return;
    if (fate.answerAfterMs > 0) await later(fate.answerAfterMs);
    const reply = this.#reply(served.result, addressing, fate);
    if (fate.mode === 'two-answers') response.once('finish', () => response.socket?.write(rawly(reply)));
    send(response, reply);
  }

  #reply(result: Result, addressing: Addressing, fate: Fate): Reply {
    if (fate.mode === 'other-answer') {
      const other = this.#hospital.anotherThan(this.#hospital.referenceOf(addressing.request.ask));
      return this.#protocol.writeForAnother(result, addressing, other);
    }
    const reply = this.#protocol.write(result, addressing);
    if (fate.mode === 'empty-answer') return { ...reply, body: '' };
    return fate.mode === 'garbage' ? torn(reply) : reply;
  }

  #interference(fate: Fate): Interference {
    const named = fate.names.length > 0 ? { misbehaviour: fate.names.join('+') } : {};
    switch (fate.mode) {
      case 'decline':
        return {
          ...named,
          instead: ({ ask }) => ({
            kind: 'slot-taken',
            alternatives: this.#hospital.alternatives(ask),
          }),
        };
      case 'wrong':
        return { ...named, instead: () => ({ kind: 'invalid', message: 'this was not understood' }) };
      case 'rate-limit':
        return {
          ...named,
          instead: () => ({ kind: 'busy', retryAfterSeconds: fate.retryAfterSeconds }),
        };
      case null:
      case 'silent':
      case 'silent-after':
      case 'reset-before':
      case 'reset-after':
      case 'late-answer':
      case 'other-answer':
      case 'garbage':
      case 'two-answers':
      case 'empty-answer':
        return named;
    }
  }
}

const LABELS: Readonly<Partial<Record<string, string>>> = {
  'reset-after': 'reset',
  'silent-after': 'silent',
  garbage: 'garbage',
};

function labelled(fate: Fate, label: string): string {
  if (fate.mode === 'other-answer') return `other ${label}`;
  if (fate.mode === 'late-answer') return `late ${label}`;
  if (fate.mode === 'two-answers') return `twice ${label}`;
  if (fate.mode === 'empty-answer') return `empty ${label}`;
  return LABELS[fate.mode ?? ''] ?? label;
}

/** The whole request, or null when the sender went away or sends too much. */
async function readBody(request: IncomingMessage): Promise<Incoming | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LARGEST_BODY_BYTES) {
        request.destroy();
        return null;
      }
      chunks.push(chunk);
    }
  } catch {
    // The sender broke off in the middle: a hospital never saw a whole request.
    return null;
  }
  const { method = '', url = '/', headers } = request;
  const path = url.split('?')[0] ?? '/';
  return { method, path, headers, body: Buffer.concat(chunks) };
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** A whole answer as it is on the wire, for whoever writes past the server. */
function rawly({ status, headers, body }: Reply): string {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n${body}`;
}

function later(delayMs: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, delayMs);
  });
}
