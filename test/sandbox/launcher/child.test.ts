import { expect } from 'chai';

import { runChild, startChild } from '../../../sandbox/launcher/child.ts';
import { isAlive, processesOf } from '../../../sandbox/launcher/processes.ts';
import { aFolderPerTest, ENDLESS } from '../temporary.ts';

describe('a child process', () => {
  const folder = aFolderPerTest();

  /** Resolves once the process has printed its first line. */
  function endless(script = ENDLESS) {
    const { promise: running, resolve } = Promise.withResolvers<string>();
    const child = startChild({
      name: 'endless',
      command: process.execPath,
      args: ['-e', script],
      folder: folder(),
      onLine: resolve,
    });
    return { child, running };
  }

  it('is known by its folder while it runs, and only then', async () => {
    const { child, running } = endless();
    await running;
    expect(processesOf(folder()).map(({ pid }) => pid)).to.deep.equal([child.pid]);
    expect(child.howEnded()).to.equal(null);

    await child.stop(5_000);

    expect(processesOf(folder())).to.deep.equal([]);
    expect(child.howEnded()).to.equal('exit code 7');
  });

  it('is ended by force when it does not end in time', async () => {
    const { child, running } = endless(ENDLESS.replace('process.exit(7)', 'console.log()'));
    await running;

    await child.stop(100);

    expect(child.howEnded()).to.equal('signal SIGKILL');
    expect(isAlive(child.pid)).to.equal(false);
  });

  it('takes what it started with it when it is killed', async () => {
    const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(ENDLESS)}], { stdio: 'inherit' }); setInterval(() => {}, 1e6);`;
    const { child, running } = endless(script);
    await running;
    expect(processesOf(folder())).to.have.length(2);

    await child.kill();

    expect(processesOf(folder())).to.deep.equal([]);
  });

  it('that cannot be started has ended, with the reason', async () => {
    const child = startChild({
      name: 'nothing',
      command: '/nonexistent/program',
      args: [],
      folder: folder(),
    });

    const { how } = await child.ended;

    expect(how).to.contain('ENOENT');
    await child.stop(1_000);
  });

  it('tells what it complained about when it fails', async () => {
    const run = runChild({
      name: 'grumbler',
      command: process.execPath,
      args: ['-e', "console.error('no such table'); process.exit(3)"],
      folder: folder(),
    });

    const error = await run.then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error?.message).to.equal('grumbler ended with exit code 3\n  no such table');
  });

  it('prints lines that end at a newline and nowhere else', async () => {
    const lines: string[] = [];
    const printed = 'BK-1\u2028BK-2\u2029\u0085\r\n\nمريض\nunfinished';
    const child = startChild({
      name: 'printer',
      command: process.execPath,
      // In pieces of one byte: a character and a line may come in parts.
      args: [
        '-e',
        `for (const byte of Buffer.from(${JSON.stringify(printed)})) require('node:fs').writeSync(1, Buffer.of(byte));`,
      ],
      folder: folder(),
      onLine: (line) => lines.push(line),
    });

    await child.ended;

    expect(lines).to.deep.equal(['BK-1\u2028BK-2\u2029\u0085', '', 'مريض', 'unfinished']);
  });
});
