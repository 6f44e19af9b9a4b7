import { expect } from 'chai';

import { Part } from '../../../sandbox/launcher/part.ts';
import { processesOf } from '../../../sandbox/launcher/processes.ts';
import { aFolderPerTest, ENDLESS } from '../temporary.ts';

describe('a part of the sandbox', () => {
  const folder = aFolderPerTest();
  const said: string[] = [];
  let onSaid: (line: string) => void = () => undefined;

  beforeEach(() => {
    said.length = 0;
  });

  function start(script: string) {
    return Part.start({
      name: 'clerk',
      args: ['-e', script],
      cwd: folder(),
      folder: folder(),
      isReady: (line) => line['ready'] === true,
      say(line) {
        said.push(line);
        onSaid(line);
      },
      graceMs: 2_000,
    });
  }

  it('is started again when it was killed, and says so', async () => {
    const { promise: again, resolve } = Promise.withResolvers<string>();
    onSaid = (line) => {
      if (line.includes('runs again')) resolve(line);
    };
    const { part } = await start(ENDLESS);
    const before = processesOf(folder()).map(({ pid }) => pid);
    expect(before).to.have.length(1);

    process.kill(before[0]!, 'SIGKILL');
    await again;

    expect(said[0]).to.contain('clerk ended by itself (signal SIGKILL)');
    expect(processesOf(folder()).map(({ pid }) => pid))
      .to.have.length(1)
      .and.not.to.include(before[0]);
    await part.stop();
    expect(processesOf(folder())).to.deep.equal([]);
  });

  it('that ends before it is ready fails with what it printed', async () => {
    const error = await start("console.error('routes.yaml:3:1 unknown key'); process.exit(2)").then(
      () => null,
      (thrown: Error) => thrown,
    );

    expect(error?.message).to.equal('clerk did not start (exit code 2):\n  routes.yaml:3:1 unknown key');
  });

  it('is not started again after it was stopped', async () => {
    const { part } = await start(ENDLESS);

    await part.stop();

    expect(said).to.deep.equal([]);
    expect(processesOf(folder())).to.deep.equal([]);
  });
});
