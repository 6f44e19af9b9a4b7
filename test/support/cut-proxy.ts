import { connect, createServer, type Socket } from 'node:net';

/** Where a connection is cut: before the server hears the COMMIT, or after it answered it. */
export type Cut = 'before-commit' | 'after-commit';

/** A proxy before PostgreSQL that can cut connections around their COMMITs. */
export interface CutProxy {
  readonly url: string;
  /** The next COMMIT that passes on any connection is cut; with `thenAway` the server is away from then on. */
  arm(cut: Cut, thenAway?: boolean): void;
  /** The next thing a client says that has this text in it never arrives, and its connection breaks. */
  breakAt(text: string): void;
  /** From now on new connections are refused. */
  refuse(): void;
  /** Breaks every connection and refuses new ones, as a server that is away does, until it is to `serve` again. */
  goAway(): void;
  serve(): void;
  /** From now on every COMMIT is cut at this rate, before or after it as chance will have it. */
  cutAtRate(rate: number, fraction: () => number): void;
  /** From now on nothing passes on any connection and none is closed: a network gone silent. */
  silence(): void;
  /** How many were cut so far. */
  readonly cuts: number;
  /** How many connections were refused so far. */
  readonly refusals: number;
  close(): Promise<void>;
}

/** A COMMIT as pg sends it, a simple query of 11 bytes, and the command tag with which the server answers it. */
const ASKED = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');
const ANSWERED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');

/** Starts a proxy on a free loopback port in front of the server that `url` names. */
export async function cutProxy(url: string): Promise<CutProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let armed: Cut | null = null;
  let thenAway = false;
  let text: string | null = null;
  let cuts = 0;
  let refusals = 0;
  let refusing = false;
  let silent = false;
  let byChance: () => Cut | null = () => null;

  // An end is passed on by hand: in a silent network nobody hears it.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (refusing) {
      refusals += 1;
      client.destroy();
      return;
    }
    const upstream = connect({
      port: Number(target.port),
      host: target.hostname,
      allowHalfOpen: true,
    });
    let cutting = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    const cutOff = () => {
      if (thenAway) goAway();
      end();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('end', () => {
        if (!silent) end();
      });
      socket.on('close', () => {
        sockets.delete(socket);
        if (!silent) end();
      });
    }
    client.on('data', (chunk) => {
      if (silent) return;
      if (text !== null && chunk.includes(text)) {
        text = null;
        return end();
      }
      const cut = chunk.includes(ASKED) ? (armed ?? byChance()) : null;
      if (cut !== null) {
        armed = null;
        cuts += 1;
        if (cut === 'before-commit') return cutOff();
        cutting = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (silent) return;
      if (!cutting) client.write(chunk);
      else if (chunk.includes(ANSWERED)) cutOff();
    });
  });
  const goAway = () => {
    refusing = true;
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const own = new URL(url);
  own.hostname = '127.0.0.1';
  own.port = String(typeof address === 'object' ? address?.port : 0);
  return {
    url: own.href,
    arm(cut, away = false) {
      armed = cut;
      thenAway = away;
    },
    breakAt(words) {
      text = words;
    },
    refuse() {
      refusing = true;
    },
    goAway,
    serve() {
      refusing = false;
    },
    cutAtRate(rate, fraction) {
      byChance = () => {
        if (fraction() >= rate) return null;
        return fraction() < 0.5 ? 'before-commit' : 'after-commit';
      };
    },
    silence() {
      silent = true;
    },
    get cuts() {
      return cuts;
    },
    get refusals() {
      return refusals;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
