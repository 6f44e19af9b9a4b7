import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

import { startChild } from '../../../sandbox/launcher/child.ts';
import { takeLock } from '../../../sandbox/launcher/lock.ts';
import { isAlive } from '../../../sandbox/launcher/processes.ts';
import { aFolderPerTest, ENDLESS } from '../temporary.ts';

describe('the lock of a sandbox', () => {
  const folder = aFolderPerTest();
  const quiet = () => undefined;

  it('names who holds the folder and the command that frees it', async () => {
    const lock = await takeLock(folder(), quiet);
    const written = JSON.parse(readFileSync(join(folder(), 'lock'), 'utf8')) as Record<string, unknown>;

    expect(written).to.include({ pid: process.pid, holds: folder(), frees: `kill ${process.pid}` });
    await lock.release();
    expect(existsSync(join(folder(), 'lock'))).to.equal(false);
  });

  it('is refused to a second launcher, which is told whom to end', async () => {
    const lock = await takeLock(folder(), quiet);

    const error = await takeLock(folder(), quiet).then(
      () => null,
      (thrown: Error) => thrown,
    );

    expect(error).to.have.property('code', 'not-allowed');
    expect(error?.message).to.contain(`kill ${process.pid}`);
    await lock.release();
  });

  it('is taken over from a launcher that crashed, whose processes are ended', async () => {
    const { promise: running, resolve } = Promise.withResolvers<string>();
    const orphan = startChild({
      name: 'orphan',
      command: process.execPath,
      args: ['-e', ENDLESS],
      folder: folder(),
      onLine: resolve,
    });
    await running;
    writeFileSync(
      join(folder(), 'lock'),
      JSON.stringify({ pid: 1, since: 'earlier', holds: folder(), frees: 'kill 1' }),
    );
    const said: string[] = [];

    const lock = await takeLock(folder(), (line) => said.push(line));

    await orphan.ended;
    expect(isAlive(orphan.pid)).to.equal(false);
    expect(said.join('\n')).to.contain(`${orphan.pid}`).and.to.contain('did not end in order');
    await lock.release();
  });

  it('can be taken again after it was released', async () => {
    await (await takeLock(folder(), quiet)).release();
    await (await takeLock(folder(), quiet)).release();
  });
});
