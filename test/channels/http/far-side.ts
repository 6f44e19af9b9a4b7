import type { Socket } from 'node:net';

import type { FarSide } from '../../support/outbound-conformance.ts';
import { RawServer } from './raw-server.ts';

/** What an HTTP far side says to a parcel, by the parcel's key. */
export interface Sayings {
  readonly taken: (key: string) => Buffer;
  readonly refused: (key: string) => Buffer;
}

/** The far side of the conformance suite, for kinds that speak HTTP. */
export class HttpFarSide implements FarSide {
  readonly #server: RawServer;
  readonly #sayings: Sayings;
  #waiting: (() => void)[] = [];

  private constructor(server: RawServer, sayings: Sayings) {
    this.#server = server;
    this.#sayings = sayings;
    this.behave('takes');
  }

  static async listen(sayings: Sayings): Promise<HttpFarSide> {
    return new HttpFarSide(await RawServer.listen(() => undefined), sayings);
  }

  get origin(): string {
    return this.#server.origin;
  }

  behave(manner: Parameters<FarSide['behave']>[0]): void {
    const { taken, refused } = this.#sayings;
    this.#server.onRequest = (socket: Socket, request: Buffer) => {
      const key = /"key":"([^"]+)"/.exec(request.toString())?.[1] ?? '';
      switch (manner) {
        case 'takes':
          socket.write(taken(key));
          return;
        case 'refuses':
          socket.write(refused(key));
          return;
        case 'waits':
          this.#waiting.push(() => socket.write(taken(key)));
          return;
        case 'silent':
          return;
        case 'breaks-off':
          socket.resetAndDestroy();
      }
    };
  }

  release(): void {
    for (const answer of this.#waiting) answer();
    this.#waiting = [];
  }

  received(): readonly Uint8Array[] {
    return this.#server.requests;
  }

  arrived(count: number): Promise<void> {
    return this.#server.arrived(count);
  }

  goAway(): Promise<void> {
    return this.#server.close();
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
