import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { harmlessInLine } from '../../cli/payload.ts';
import { hisbridgeHere } from './command.ts';
import { ROOT } from './folder.ts';

// Nobody listens there: whatever reaches the store ends with exit code 3.
const NOWHERE = {
  DATABASE_URL: 'postgresql://127.0.0.1:1/none',
  AMQP_URL: 'amqp://127.0.0.1:1',
  HISBRIDGE_DIGEST_KEY: 'a'.repeat(64),
  HISBRIDGE_SANDBOX: '/nowhere',
};
const SETTLE = ['settle', '0199a3c4', '--as', 'delivered'];

describe('what a command is given', function () {
  this.timeout(30_000);

  for (const args of [
    ...['0', '-1', 'abc', '1.5', '', '1e9'].flatMap((count) => [
      ['dead-letters', 'list', `--limit=${count}`],
      ['messages', 'list', `--limit=${count}`],
      ['trigger', 'booking.requested', '-c', ROOT, `--count=${count}`],
      ['listen', `--count=${count}`],
    ]),
    ['run', '--metrics-port=abc'],
    [...SETTLE, '--reason', 'known', '--hospital-ref', 'x'.repeat(201)],
    [...SETTLE, '--reason', 'known', '--hospital-ref', ''],
    [...SETTLE, '--reason', 'known', '--hospital-ref', 'a\u0000b'],
    [...SETTLE, '--reason', 'known', '--hospital-ref', 'a\nb'],
    [...SETTLE, '--reason', ''],
    [...SETTLE, '--reason', '  '],
    ['probe', '0199a3c4', '--settle', '--reason', ' '],
    ['show', ''],
    ['settle', '', '--as', 'given-up', '--reason', 'known'],
    ['probe', ' '],
    ['dead-letters', 'show', ''],
    ['lint', '-c', `${ROOT}/no-such-folder`],
  ]) {
    it(`is refused before anything is asked or written: ${JSON.stringify(args.slice(0, 8)).slice(0, 90)}`, async () => {
      const { code, stderr } = await hisbridgeHere(args, NOWHERE);
      expect({ code, said: stderr.split(':')[0] }).to.deep.equal({ code: 2, said: 'usage' });
    });
  }

  it('says how to start the example network where there is no database', async () => {
    const { code, stderr } = await hisbridgeHere(['status'], { ...NOWHERE, DATABASE_URL: '' });
    expect(code).to.equal(2);
    expect(stderr).to.include('start the example network: npm start');
  });

  it('is printed in a line without breaking it', () => {
    expect(harmlessInLine('BK\n1\t\u202e2\u2066\u001b')).to.equal('BK\\u000a1\\u0009\\u202e2\\u2066\\u001b');
  });

  it('ends quietly when nobody reads on', () => {
    const { status, stderr } = spawnSync(
      'bash',
      [
        '-c',
        '"$0" "$1" help | true; echo "${PIPESTATUS[0]}" >&2',
        process.execPath,
        resolve(ROOT, 'cli/hisbridge.ts'),
      ],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '0\n' });
  });
});
