import { expect } from 'chai';

import { BridgeError } from '../../../engine/errors.ts';
import { type Child, startChild } from '../../../sandbox/launcher/child.ts';
import { KeptServer } from '../../../sandbox/launcher/kept-server.ts';
import { processesOf } from '../../../sandbox/launcher/processes.ts';
import { givenServer } from '../../../sandbox/servers/given.ts';
import type { WatchedServer } from '../../../sandbox/servers/server.ts';
import { aFolderPerTest, ENDLESS } from '../temporary.ts';

describe('a server of the sandbox', () => {
  const folder = aFolderPerTest();
  const said: string[] = [];
  let onSaid: (line: string) => void = () => undefined;

  beforeEach(() => {
    said.length = 0;
  });

  /** A process that stands in for a server; `refusals` restarts fail before one works. */
  function aServer(refusals: number): WatchedServer {
    let left = refusals;
    let child: Child | null = start();
    function start(): Child {
      return startChild({
        name: 'store',
        command: process.execPath,
        args: ['-e', ENDLESS],
        folder: folder(),
      });
    }
    return {
      url: 'postgres://store',
      ended: () => child?.ended.then(({ how }) => how) ?? null,
      async stop() {
        await child?.stop(2_000);
        child = null;
      },
      async kill() {
        await child?.kill();
      },
      restart() {
        left -= 1;
        if (left >= 0) return Promise.reject(new BridgeError('store-unavailable', 'the disk is full'));
        child = start();
        return Promise.resolve();
      },
    };
  }

  function keep(server: WatchedServer) {
    const say = (line: string) => {
      said.push(line);
      onSaid(line);
    };
    return new KeptServer({ name: 'PostgreSQL', server, logFile: 'postgres.log', say });
  }

  function saying(words: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    onSaid = (line) => {
      if (line.includes(words)) resolve(line);
    };
    return promise;
  }

  it('is started again when it was killed, also after restarts that failed, and says so', async () => {
    const again = saying('runs again');
    const server = aServer(1);
    const kept = keep(server);

    await server.kill();
    await again;

    expect(said).to.deep.equal([
      'PostgreSQL ended by itself (signal SIGKILL). Starting it again in 0.5 s.',
      'PostgreSQL could not be started again: the disk is full',
      'It is tried again until it runs. Correct what postgres.log complains of, or end all with Ctrl-C and start anew: npm start',
      'PostgreSQL runs again, at the same address.',
    ]);
    expect(processesOf(folder())).to.have.length(1);
    await kept.stop();
    expect(processesOf(folder())).to.deep.equal([]);
  });

  it('is not started again after it was stopped, also while it waits to be', async () => {
    const ended = saying('ended by itself');
    const server = aServer(0);
    const kept = keep(server);
    await server.kill();
    await ended;

    await kept.stop();

    expect(said).to.have.length(1);
    expect(processesOf(folder())).to.deep.equal([]);
  });

  it('that is not ours is left to whoever runs it', async () => {
    await keep(givenServer('postgres://elsewhere', 'DATABASE_URL')).stop();

    expect(said).to.deep.equal([]);
  });
});
