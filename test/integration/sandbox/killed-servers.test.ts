import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

import { KeptServer } from '../../../sandbox/launcher/kept-server.ts';
import { processesOf } from '../../../sandbox/launcher/processes.ts';
import { amqpReady } from '../../../sandbox/servers/amqp-ready.ts';
import { startPostgres } from '../../../sandbox/servers/postgres.ts';
import { startRabbit } from '../../../sandbox/servers/rabbitmq.ts';
import type { WatchedServer } from '../../../sandbox/servers/server.ts';
import { aFolderPerTest } from '../../sandbox/temporary.ts';

describe('a server of the sandbox that is killed from outside', function () {
  this.timeout(180_000);
  let kept: KeptServer | null = null;
  // Before its folder goes: it would be started again.
  afterEach(() => kept?.stop());
  const folder = aFolderPerTest();
  const before = { ...process.env };

  beforeEach(() => {
    delete process.env['DATABASE_URL'];
    delete process.env['AMQP_URL'];
    // As that of a start: the user PostgreSQL runs as must be able to pass.
    chmodSync(folder(), 0o711);
  });
  after(() => {
    Object.assign(process.env, before);
  });

  function keep(name: string, server: WatchedServer) {
    const said: string[] = [];
    const { promise: again, resolve } = Promise.withResolvers<string>();
    const say = (line: string) => {
      said.push(line);
      if (line.includes('runs again')) resolve(line);
    };
    kept = new KeptServer({ name, server, logFile: 'its log', say });
    return { said, again };
  }

  it('PostgreSQL comes back in spite of the postmaster.pid it left', async () => {
    const { said, again } = keep('PostgreSQL', await startPostgres(folder(), () => undefined));
    const postmaster = () =>
      Number(readFileSync(join(folder(), 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
    const killed = postmaster();

    process.kill(killed, 'SIGKILL');
    await again;

    expect(said[0]).to.contain('PostgreSQL ended by itself (signal SIGKILL)');
    expect(said).to.have.length(2);
    expect(postmaster()).not.to.equal(killed);
    await kept!.stop();
    expect(processesOf(folder())).to.deep.equal([]);
  });

  for (const [what, program] of [
    ['its node', 'beam.smp'],
    ['what started its node', 'rabbitmq-server'],
  ] as const) {
    it(`RabbitMQ comes back at its address when ${what} is killed`, async () => {
      const { said, again } = keep('RabbitMQ', await startRabbit(folder(), () => undefined));
      const [killed] = processesOf(folder()).filter(({ pid }) => programOf(pid) === program);

      process.kill(killed!.pid, 'SIGKILL');
      await again;

      expect(said[0]).to.contain('RabbitMQ ended by itself');
      await amqpReady(kept!.url, 10_000, () => null);
      expect(processesOf(folder()).filter(({ pid }) => programOf(pid) === program)).to.have.length(1);
      await kept!.stop();
      expect(processesOf(folder())).to.deep.equal([]);
    });
  }

  function programOf(pid: number): string {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  }
});
