import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeEndpoints } from '../../sandbox/environment.ts';
import { endHospital, type Running, startHospital } from '../sandbox/hospitals/running.ts';
import { hisbridgeHere } from './command.ts';

describe('hisbridge sandbox', function () {
  this.timeout(30_000);
  let folder: string;
  let alnoor: Running;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hisbridge-sandbox-'));
    alnoor = await startHospital('rest');
    writeEndpoints(folder, {
      api: null,
      metrics: null,
      amqp: 'amqp://127.0.0.1:9',
      database: 'postgres://127.0.0.1:9/none',
      hospitals: {
        alnoor: { kind: 'rest', address: alnoor.address, control: alnoor.controlUrl },
        gone: { kind: 'rest', address: 'http://127.0.0.1:9', control: 'http://127.0.0.1:9' },
      },
    });
  });

  after(async () => {
    await endHospital(alnoor);
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]) => hisbridgeHere(['sandbox', ...args], { HISBRIDGE_SANDBOX: folder });

  it('makes a hospital misbehave as it is told, and heals it', async () => {
    const broken = await run(
      'break',
      'alnoor',
      'slow',
      '--delay',
      '250ms',
      '--rate',
      '0.5',
      '--for',
      '1m',
      '--json',
    );
    expect(broken.code, broken.stderr).to.equal(0);
    const [{ misbehaviours }] = JSON.parse(broken.stdout);
    expect(misbehaviours[0]).to.include({ mode: 'slow', delayMs: 250, rate: 0.5, forMs: 60_000 });
    expect((await run('status', 'alnoor')).stdout).to.include('slow for 50 % during 60 s');
    expect((await run('heal', 'alnoor')).stdout).to.include('well');
  });

  it('prints the journal as JSON lines, and empties it', async () => {
    await fetch(`${alnoor.address}/appointments`, { method: 'POST', body: 'nonsense' });
    const { stdout } = await run('journal', 'alnoor');
    expect(JSON.parse(stdout.trim())).to.include({ operation: 'unreadable', effect: 'none' });
    expect((await run('reset', 'alnoor')).code).to.equal(0);
    expect((await run('journal', 'alnoor')).stdout).to.equal('');
  });

  for (const [what, args, code, word] of [
    ['an unknown way to misbehave', ['break', 'alnoor', 'silnt'], 2, 'Did you mean silent?'],
    ['an unknown hospital', ['heal', 'nowhere'], 2, 'nowhere is no hospital of the sandbox: alnoor, gone'],
    ['a share that is none', ['break', 'alnoor', 'slow', '--rate', '7'], 2, 'rate is a share from 0 to 1'],
    [
      'a duration without a unit',
      ['break', 'alnoor', 'slow', '--for', '10', '--json'],
      2,
      'Write a number and a unit',
    ],
    ['a hospital that does not answer', ['status', 'gone'], 3, 'gone does not answer'],
  ] as const) {
    it(`says so with exit code ${code} for ${what}`, async () => {
      const ended = await run(...args);
      expect(ended.code).to.equal(code);
      expect(ended.stderr).to.include(word);
    });
  }

  it('says how to start a sandbox when none runs', async () => {
    const { code, stderr } = await hisbridgeHere(['sandbox', 'status'], { HISBRIDGE_SANDBOX: tmpdir() });
    expect(code).to.equal(3);
    expect(stderr).to.include('npm start');
  });
});
