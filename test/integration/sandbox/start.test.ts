import { chmodSync, existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';

import { CHECKOUT, readEndpoints } from '../../../sandbox/environment.ts';
import { type Child, startChild } from '../../../sandbox/launcher/child.ts';
import { processesOf } from '../../../sandbox/launcher/processes.ts';
import { aFolderPerTest } from '../../sandbox/temporary.ts';

describe('the example network, started by one command', function () {
  this.timeout(180_000);
  const folder = aFolderPerTest();
  let launchers: Child[] = [];

  beforeEach(() => {
    chmodSync(folder(), 0o711);
    launchers = [];
  });
  afterEach(async () => {
    await Promise.all(launchers.map((launcher) => launcher.kill()));
  });

  const launching = (...args: readonly string[]) => ({
    name: 'launcher',
    command: process.execPath,
    args: [join(CHECKOUT, 'sandbox/start.ts'), ...args],
    // Of the test, not of the sandbox: or the launcher would find itself among what a crash has left.
    folder: `${folder()}#test`,
    env: {
      HISBRIDGE_SANDBOX_FOLDER: folder(),
      DATABASE_URL: null,
      AMQP_URL: null,
      npm_lifecycle_event: null,
    },
  });

  /** Resolves with the launcher and what it has printed, once it has said how to go on. */
  async function launched(...args: readonly string[]) {
    const printed: string[] = [];
    const { promise: goesOn, resolve } = Promise.withResolvers<null>();
    const launcher = startChild({
      ...launching(...args),
      onLine(line) {
        printed.push(line);
        if (line.includes('Ctrl-C ends everything')) resolve(null);
      },
      onErrorLine: (line) => printed.push(line),
    });
    launchers.push(launcher);
    const ended = await Promise.race([goesOn, launcher.ended]);
    expect(ended, printed.join('\n')).to.equal(null);
    return { launcher, printed };
  }

  it('shows bookings moving, turns a second start away, survives a crash of its launcher, and leaves nothing behind', async () => {
    const first = await launched();
    const before = readEndpoints(folder());
    const trail = first.printed.join('\n');
    for (const outcome of [
      'booking.confirmed',
      'booking.rescheduled',
      'booking.cancelled',
      'booking.rejected',
      'message.refused',
    ]) {
      expect(trail).to.match(new RegExp(`${outcome} to dawy-out: delivered`));
    }
    expect(before?.hospitals).to.have.keys('alnoor', 'stmary');
    expect(trail).not.to.contain('defect');

    const turnedAway = startChild({ ...launching(), name: 'second launcher' });
    launchers.push(turnedAway);
    expect((await turnedAway.ended).how).to.equal('exit code 1');
    expect(readEndpoints(folder())).to.deep.equal(before);

    await first.launcher.kill();
    expect(processesOf(folder())).not.to.deep.equal([]);
    const second = await launched('--no-demo');

    expect(second.printed.join('\n')).to.contain('did not end in order');
    expect(readEndpoints(folder())).to.deep.equal(before);
    const journal = await fetch(`${before?.hospitals['alnoor']?.control}/journal`);
    expect(await journal.text()).to.contain('booked');

    await second.launcher.stop(60_000);

    expect(second.launcher.howEnded()).to.equal('exit code 0');
    expect(processesOf(folder())).to.deep.equal([]);
    for (const file of ['lock', 'endpoints.json'])
      expect(existsSync(join(folder(), file)), file).to.equal(false);
    for (const url of [before!.amqp, before!.database, before!.hospitals['alnoor']!.address]) {
      expect(await listens(Number(new URL(url).port)), url).to.equal(false);
    }
  });
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
