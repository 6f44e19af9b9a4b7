import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { FarSide } from '../support/outbound-conformance.ts';
import { type Frame, framesIn, longLong, method, nameOf, OPEN_OK, START, TUNE } from './amqp-frames.ts';

type Manner = Parameters<FarSide['behave']>[0];

/** What it says to a method of the client, by class and method. */
const REPLIES: Readonly<Record<string, (channel: number) => Buffer>> = {
  '10.11': () => TUNE,
  '10.40': () => OPEN_OK,
  '10.50': () => method(0, 10, 51),
  '20.10': (channel) => method(channel, 20, 11, [Buffer.alloc(4)]),
  '20.40': (channel) => method(channel, 20, 41),
  '40.10': (channel) => method(channel, 40, 11),
  '85.10': (channel) => method(channel, 85, 11),
};

/** As much of a broker as a publisher with confirms meets, in this process, and as unkind as it is told to be. */
export class ScriptedBroker implements FarSide {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #received: Uint8Array[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  #manner: Manner = 'takes';

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async listening(): Promise<ScriptedBroker> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedBroker(server);
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo | null;
    return `amqp://127.0.0.1:${address?.port ?? 1}`;
  }

  behave(manner: Manner): void {
    this.#manner = manner;
  }

  release(): void {
    this.#manner = 'takes';
    for (const take of this.#waiting.splice(0)) take();
  }

  received(): readonly Uint8Array[] {
    return this.#received;
  }

  arrived(count: number): Promise<void> {
    if (this.#received.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#arrivals.push({ count, resolve }));
  }

  async goAway(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  close(): Promise<void> {
    return this.goAway();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let rest = Buffer.alloc(0);
    let greeted = false;
    let published: Frame[] = [];
    let tag = 0;
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      if (!greeted && rest.length >= 8) {
        greeted = true;
        rest = rest.subarray(8);
        socket.write(START);
      }
      const read = framesIn(rest);
      rest = Buffer.from(read.rest);
      for (const frame of read.frames) {
        const reply = REPLIES[nameOf(frame)];
        if (reply !== undefined) socket.write(reply(frame.channel));
        if (nameOf(frame) === '60.40') published = [frame];
        else if (frame.type === 2) published.push(frame);
        else if (frame.type === 3) {
          tag += 1;
          this.#take(socket, [...published, frame], tag);
        }
      }
    });
  }

  #take(socket: Socket, frames: readonly Frame[], tag: number): void {
    const channel = frames[0]?.channel ?? 0;
    const confirm = () => socket.write(method(channel, 60, 80, [longLong(tag), Buffer.from([0])]));
    this.#received.push(Buffer.concat(frames.map(({ payload }) => payload)));
    for (const { count, resolve } of this.#arrivals) if (this.#received.length >= count) resolve();
    switch (this.#manner) {
      case 'takes':
        confirm();
        return;
      case 'refuses':
        socket.write(method(channel, 60, 120, [longLong(tag), Buffer.from([0])]));
        return;
      case 'waits':
        this.#waiting.push(confirm);
        return;
      case 'silent':
        return;
      case 'breaks-off':
        socket.destroy();
    }
  }
}
