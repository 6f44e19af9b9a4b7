import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

/** Where metrics and health are read. */
export interface Exporter {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/livez` and `/readyz` on a port of their own. Ready means that the store answers;
 * a hospital that is away makes neither false.
 */
export async function serveMetrics(
  metrics: Pick<Metrics, 'text'>,
  port: number,
  host: string,
  ready: () => boolean,
): Promise<Exporter> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/livez') response.end('ok\n');
    else if (path === '/readyz')
      response.writeHead(ready() ? 200 : 503).end(ready() ? 'ok\n' : 'the store does not answer\n');
    else if (path === '/metrics') {
      metrics.text().then(
        (text) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(text),
        () => response.writeHead(500).end(),
      );
    } else response.writeHead(404).end();
  });
  await listen(server, port, host);
  const { port: actual } = server.address() as AddressInfo;
  return {
    address: `http://${host}:${actual}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}
