import { expect } from 'chai';
import { type Exporter, serveMetrics } from '../../../engine/telemetry/exporter.ts';

describe('the exporter', () => {
  let exporter: Exporter;
  let text = () => Promise.resolve('hisbridge_store_up 1\n');
  let ready = true;

  before(async () => {
    exporter = await serveMetrics({ text: () => text() }, 0, '127.0.0.1', () => ready);
  });
  after(() => exporter.close());

  /** Status and body of the answer to a path. */
  const ask = async (path: string): Promise<readonly [number, string]> => {
    const answer = await fetch(`${exporter.address}${path}`);
    return [answer.status, await answer.text()];
  };

  it('is alive while it answers, and ready while the store does', async () => {
    expect(await ask('/livez')).to.deep.equal([200, 'ok\n']);
    expect(await ask('/readyz')).to.deep.equal([200, 'ok\n']);
    ready = false;
    expect(await ask('/livez')).to.deep.equal([200, 'ok\n']);
    expect(await ask('/readyz')).to.deep.equal([503, 'the store does not answer\n']);
  });

  it('serves the metrics, whatever is asked after the path, and nothing else', async () => {
    expect(await ask('/metrics?name=x')).to.deep.equal([200, 'hisbridge_store_up 1\n']);
    expect(await ask('/')).to.deep.equal([404, '']);
  });

  it('answers 500 when the metrics cannot be gathered, and lives on', async () => {
    const before = text;
    text = () => Promise.reject(new TypeError('a gauge cannot be read'));
    expect(await ask('/metrics')).to.deep.equal([500, '']);
    text = before;
    expect(await ask('/metrics')).to.deep.equal([200, 'hisbridge_store_up 1\n']);
  });
});
