import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Who sent the bytes that pass: an engine, or the server behind the link. */
export type From = 'client' | 'server';

/** One connection through a link. */
export interface Line {
  /** What the client said first: PostgreSQL hears the name of the connection in it. */
  readonly hello: string;
}

/**
 * Looks at everything that passes until it says where to stop: how many bytes of this chunk still pass. Null lets all
 * of it pass.
 */
export type Trap = (chunk: Buffer, from: From, line: Line) => number | null;

/** A connection that stands still in the middle of what it carried. */
export interface Caught {
  /** Ends it with a reset on both sides. */
  reset(): void;
  /** Lets it go on, with what waited as `altered` makes it. */
  release(altered?: (waiting: Buffer) => Buffer): void;
}

/**
 * A wire between the engines and one server, in a process of neither: it can be cut, go silent, be plugged out, and
 * stop in the middle of a frame, a request or an answer.
 */
export class Link {
  readonly #target: URL;
  readonly #wires = new Set<Wire>();
  readonly #server: Server;
  #traps: { readonly trap: Trap; readonly caught: (caught: Caught) => void }[] = [];
  #silent = false;
  #port = 0;
  #cuts = 0;

  private constructor(target: URL) {
    this.#target = target;
    // An end is passed on by hand: in a silent network nobody hears it.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#open(client),
    );
  }

  /** Starts a link on a free port in front of the server that `url` names. */
  static async open(url: string): Promise<Link> {
    const link = new Link(new URL(url));
    await link.plugIn();
    return link;
  }

  /** The address of the server, by way of the link. */
  get url(): string {
    const own = new URL(this.#target);
    own.hostname = '127.0.0.1';
    own.port = String(this.#port);
    // A root path that was not written is not to be written now.
    return this.#target.pathname === '/' ? own.origin : own.href;
  }

  /** How many connections were reset so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Resets every connection there is, or those of which `which` is true. Returns how many that were. */
  reset(which: (line: Line) => boolean = () => true): number {
    const doomed = [...this.#wires].filter(which);
    for (const wire of doomed) wire.reset();
    this.#cuts += doomed.length;
    return doomed.length;
  }

  /** From now on nothing passes on any connection and none is closed. What was sent meanwhile arrives when it is over. */
  silence(): void {
    this.#silent = true;
    for (const wire of this.#wires) wire.pause();
  }

  speak(): void {
    this.#silent = false;
    for (const wire of this.#wires) wire.resume();
  }

  /** Refuses new connections and resets the open ones. */
  async plugOut(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.reset();
    await closed;
  }

  /** Takes connections again, at the same port as before. */
  async plugIn(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    // Rejects when there is an error instead.
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  /** Resolves with the first connection on which the trap says where to stop, standing still there. */
  catch(trap: Trap): Promise<Caught> {
    const { promise, resolve } = Promise.withResolvers<Caught>();
    this.#traps.push({ trap, caught: resolve });
    return promise;
  }

  async close(): Promise<void> {
    this.#traps = [];
    this.#silent = false;
    await this.plugOut();
  }

  #open(client: Socket): void {
    const upstream = connect({
      port: Number(this.#target.port),
      host: this.#target.hostname,
      allowHalfOpen: true,
    });
    const wire = new Wire(client, upstream, {
      watch: (chunk, from) => this.#watch(chunk, from, wire),
      gone: () => this.#wires.delete(wire),
    });
    this.#wires.add(wire);
    if (this.#silent) wire.pause();
    else wire.resume();
  }

  #watch(chunk: Buffer, from: From, wire: Wire): number | null {
    for (const armed of this.#traps) {
      const passing = armed.trap(chunk, from, wire);
      if (passing === null) continue;
      this.#traps = this.#traps.filter((other) => other !== armed);
      this.#cuts += 1;
      armed.caught(wire);
      return passing;
    }
    return null;
  }
}

interface Ends {
  readonly watch: (chunk: Buffer, from: From) => number | null;
  readonly gone: () => void;
}

/** The two sockets of one connection, tied together. */
class Wire implements Line, Caught {
  hello = '';
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #ends: Ends;
  /** Once caught: who was speaking, and what has not passed yet on either side. */
  #caught: From | null = null;
  readonly #waiting: Record<From, Buffer[]> = { client: [], server: [] };

  constructor(client: Socket, upstream: Socket, ends: Ends) {
    this.#client = client;
    this.#upstream = upstream;
    this.#ends = ends;
    this.#tie(client, 'client');
    this.#tie(upstream, 'server');
  }

  pause(): void {
    this.#client.pause();
    this.#upstream.pause();
  }

  resume(): void {
    this.#client.resume();
    this.#upstream.resume();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
  }

  release(altered: (waiting: Buffer) => Buffer = (waiting) => waiting): void {
    const speaking = this.#caught;
    this.#caught = null;
    for (const from of ['client', 'server'] as const) {
      const waiting = Buffer.concat(this.#waiting[from].splice(0));
      if (waiting.length > 0) this.#to(from).write(from === speaking ? altered(waiting) : waiting);
    }
  }

  #to(from: From): Socket {
    return from === 'client' ? this.#upstream : this.#client;
  }

  #tie(socket: Socket, from: From): void {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#pass(chunk, from));
    const end = () => {
      this.#client.destroy();
      this.#upstream.destroy();
      this.#ends.gone();
    };
    socket.on('error', () => this.reset());
    socket.on('end', end);
    socket.on('close', end);
  }

  #pass(chunk: Buffer, from: From): void {
    if (from === 'client' && this.hello === '') this.hello = chunk.toString('latin1');
    if (this.#caught !== null) {
      this.#waiting[from].push(chunk);
      return;
    }
    const passing = this.#ends.watch(chunk, from);
    if (passing === null) {
      this.#to(from).write(chunk);
      return;
    }
    this.#caught = from;
    this.#to(from).write(chunk.subarray(0, passing));
    this.#waiting[from].push(chunk.subarray(passing));
  }
}
