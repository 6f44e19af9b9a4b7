import { chmodSync } from 'node:fs';
import { expect } from 'chai';
import pg from 'pg';

import { startPostgres } from '../../../sandbox/servers/postgres.ts';
import { aFolderPerTest } from '../../sandbox/temporary.ts';

describe('the private PostgreSQL', function () {
  this.timeout(60_000);
  const folder = aFolderPerTest();
  const quiet = () => undefined;
  const before = process.env['DATABASE_URL'];

  beforeEach(() => {
    delete process.env['DATABASE_URL'];
    // As that of a start: the user PostgreSQL runs as must be able to pass.
    chmodSync(folder(), 0o711);
  });
  after(() => {
    if (before !== undefined) process.env['DATABASE_URL'] = before;
  });

  async function ask(url: string, sql: string): Promise<readonly unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;
    } finally {
      await client.end();
    }
  }

  it('keeps what was committed when it is killed, at the same address', async () => {
    const server = await startPostgres(folder(), quiet);
    await ask(server.url, 'create table note (n int)');
    await ask(server.url, 'insert into note values (7)');

    await server.kill();
    await server.restart();

    expect(await ask(server.url, 'select n from note')).to.deep.equal([[7]]);
    await server.stop();
  });

  it('is durable and has room for every day partition', async () => {
    const server = await startPostgres(folder(), quiet);
    const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'max_locks_per_transaction'];
    const sql = `select ${settings.map((name) => `current_setting('${name}')`).join(', ')}`;

    expect(await ask(server.url, sql)).to.deep.equal([['on', 'on', 'on', '256']]);
    await server.stop();
  });

  it('takes the place of one that a crashed launcher left running', async () => {
    const left = await startPostgres(folder(), quiet);
    await ask(left.url, 'create table note (n int)');
    const said: string[] = [];

    const server = await startPostgres(folder(), (line) => said.push(line));

    expect(said.join()).to.contain('ending the one of an earlier start');
    expect(await ask(server.url, 'select n from note')).to.deep.equal([]);
    await server.stop();
  });
});
