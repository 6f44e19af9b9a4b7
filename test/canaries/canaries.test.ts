import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Broken } from '../simulator/watch.ts';
import { CANARIES, type CanaryName } from './canary.ts';

/** What each mistake is found as: one of these comes first, whichever the seeds and the engine of the day make it. */
const FOUND_AS: Readonly<Record<CanaryName, readonly Broken[]>> = {
  'send-before-edition': ['sent before its edition was kept'],
  'ack-before-commit': ['acknowledged and not kept'],
  'key-per-attempt': ['key of an edition changed'],
  'ignored-returns': ['lost'],
  'no-dedupe': ['done twice', 'done unasked'],
  'lane-by-id': ['sent out of order', 'done out of order'],
  'ledger-row-deleted': ['promised deliveries missing', 'a lane without a head'],
  'settle-without-owner': ['settled by another than its owner'],
};

const MOCHA = fileURLToPath(new URL('../../node_modules/mocha/bin/mocha.js', import.meta.url));
/** What everybody runs, and nothing else. */
const SPEC = fileURLToPath(new URL('../simulator/simulator.test.ts', import.meta.url));

const ALL = Object.keys(CANARIES) as readonly CanaryName[];
/** In a short run the two that cost least; all of them in a deep one. */
const RUN = process.env['DEEP'] === '1' ? ALL : (['send-before-edition', 'ack-before-commit'] as const);

describe('the simulator, with a mistake planted in the engine', function () {
  this.timeout(300_000);

  for (const name of RUN) {
    it(`goes red when ${CANARIES[name].mistake}`, async () => {
      const { code, output } = await run(name);
      expect(code, output).to.be.above(0);
      expect(output).to.match(new RegExp(`seed \\d+: (${FOUND_AS[name].join('|')}): `));
      expect(output).to.include(`CANARY=${name} npm run simulate -- --seed`);
    });
  }

  it('is planted with every mistake that is named', () => {
    expect(Object.keys(FOUND_AS).sort()).to.deep.equal([...ALL].sort());
  });
});

/** Runs the spec as a short run does, until the first test that fails. */
async function run(canary: CanaryName): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [MOCHA, '--no-config', '--no-color', '--bail', SPEC], {
    env: { ...process.env, CANARY: canary, DEEP: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { code, output };
}
