import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a raw server does with one whole request. */
export type OnRequest = (socket: Socket, request: Buffer) => void;

/** A TCP server that cuts out whole HTTP requests, keeps their bytes, and leaves everything else to the test. */
export class RawServer {
  readonly requests: Buffer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  onRequest: OnRequest;
  onConnection: (socket: Socket) => void = () => undefined;
  connections = 0;
  /** Bytes that arrived, of whole requests or not. */
  bytes = 0;

  private constructor(onRequest: OnRequest) {
    this.onRequest = onRequest;
    this.#server = createServer((socket) => this.#connected(socket));
  }

  static async listen(onRequest: OnRequest): Promise<RawServer> {
    const server = new RawServer(onRequest);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  arrived(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    return promise;
  }

  /** Closes every connection and listens no longer. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connected(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    let pending = Buffer.alloc(0);
    socket.on('close', () => this.#sockets.delete(socket));
    // A client that resets its end is part of what the tests do.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      this.bytes += chunk.length;
      pending = Buffer.concat([pending, chunk]);
      for (let end = endOfRequest(pending); end !== null; end = endOfRequest(pending)) {
        this.#requested(socket, pending.subarray(0, end));
        pending = pending.subarray(end);
      }
    });
    this.onConnection(socket);
  }

  #requested(socket: Socket, request: Buffer): void {
    this.requests.push(request);
    for (const { count, resolve } of this.#waiting) {
      if (this.requests.length >= count) resolve();
    }
    this.onRequest(socket, request);
  }
}

function endOfRequest(bytes: Buffer): number | null {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return null;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.subarray(0, head).toString('latin1'))?.[1] ?? '0';
  const end = head + 4 + Number(length);
  return bytes.length >= end ? end : null;
}

/** A whole response with a body of known length. */
export function response(
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} Said\r\n${lines.join('')}Content-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
}
