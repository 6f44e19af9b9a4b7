import { connect, createServer, type Socket } from 'node:net';

/** A proxy before PostgreSQL that can take the reply to a COMMIT away. */
export interface CutProxy {
  /** The address clients use instead. */
  readonly url: string;
  /** Of the replies to COMMIT from now on, this share never arrives: the connection is cut instead. */
  cutCommits(rate: number, fraction?: () => number): void;
  /** How many were taken away. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** CommandComplete for COMMIT, as PostgreSQL sends it. The server has committed once it is on the wire. */
const COMMITTED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');

/** Opens a proxy before the server of a database's address. */
export async function cutProxy(databaseUrl: string): Promise<CutProxy> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let rate = 0;
  let fraction = Math.random;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      // Whatever one side meets, the other must hear of it as an end.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      const at = chunk.indexOf(COMMITTED);
      if (at < 0 || fraction() >= rate) {
        client.write(chunk);
        return;
      }
      cuts += 1;
      // What came before it does arrive, as it would from a link that breaks in the middle.
      client.write(chunk.subarray(0, at), () => client.resetAndDestroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: url.href,
    cutCommits(share, chance = Math.random) {
      rate = share;
      fraction = chance;
    },
    get cuts() {
      return cuts;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
