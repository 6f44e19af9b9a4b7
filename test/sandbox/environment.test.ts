import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

import { removeEndpoints, sandboxEnvironment, writeEndpoints } from '../../sandbox/environment.ts';
import { secretsOf } from '../../sandbox/launcher/secrets.ts';
import { aFolderPerTest } from './temporary.ts';

const ENDPOINTS = {
  api: null,
  metrics: 'http://127.0.0.1:2',
  amqp: 'amqp://127.0.0.1:3',
  database: 'postgres://127.0.0.1:4/hisbridge',
  hospitals: { alnoor: { kind: 'rest', address: 'http://127.0.0.1:5', control: 'http://127.0.0.1:6' } },
};

describe('the environment of a running sandbox', () => {
  const folder = aFolderPerTest();

  it('is everything an engine of the example network reads', () => {
    const { digestKey } = secretsOf(folder());
    writeEndpoints(folder(), ENDPOINTS);

    expect(sandboxEnvironment(folder())).to.deep.equal({
      DATABASE_URL: ENDPOINTS.database,
      AMQP_URL: ENDPOINTS.amqp,
      HISBRIDGE_DIGEST_KEY: process.env['HISBRIDGE_DIGEST_KEY'] ?? digestKey,
      ALNOOR_URL: 'http://127.0.0.1:5',
    });
  });

  it('is empty before the first start and after the end', () => {
    expect(sandboxEnvironment(folder())).to.deep.equal({});
    secretsOf(folder());
    writeEndpoints(folder(), ENDPOINTS);

    removeEndpoints(folder());

    expect(sandboxEnvironment(folder())).to.deep.equal({});
  });

  it('keeps its secrets from others, and the same from start to start', () => {
    const secrets = secretsOf(folder());
    writeEndpoints(folder(), ENDPOINTS);

    expect(secretsOf(folder())).to.deep.equal(secrets);
    for (const file of ['secrets.json', 'endpoints.json']) {
      expect(statSync(join(folder(), file)).mode & 0o077, file).to.equal(0);
    }
  });
});
