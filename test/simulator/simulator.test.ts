import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { canaryOf } from '../canaries/canary.ts';
import { DISTURBANCES, ESSENTIALS } from './essentials.ts';
import { play } from './history.ts';
import { playMany, type Sum } from './many.ts';
import { inWords, reproduce } from './reproduce.ts';

const HISTORIES = process.env['DEEP'] === '1' ? 10_000 : 2_000;
const REPLAYED = 200;
const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

describe(`the core in ${HISTORIES} simulated histories`, function () {
  this.timeout(600_000);
  const canary = canaryOf(process.env);
  let sum: Sum;

  before(async () => {
    sum = await playMany({ from: 1, count: HISTORIES, canary, most: 1 });
  });

  it('keeps every promise', async () => {
    const [first] = sum.failures;
    if (first !== undefined) throw new Error(inWords(await reproduce(first.seed, canary)));
    expect(sum.histories).to.equal(HISTORIES);
  });

  it('met every disturbance there is', () => {
    expect(DISTURBANCES.length).to.be.at.least(25);
    expect(DISTURBANCES.filter((name) => !sum.seen.has(name))).to.deep.equal([]);
  });

  for (const [what, says] of Object.entries(ESSENTIALS)) {
    it(`saw that ${says}`, () => {
      expect(sum.seen.get(what) ?? 0).to.be.above(0);
    });
  }
});

describe('a simulated history', function () {
  this.timeout(120_000);

  it('is the same to the last byte when it is played again', async () => {
    for (let seed = 1; seed <= REPLAYED; seed += 1) {
      const [one, other] = [await play(seed), await play(seed)];
      expect(other.hash, `seed ${seed}`).to.equal(one.hash);
    }
  });

  it('is the same in another process', async () => {
    const { hash } = await play(4_711);
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--seed', '4711'], {
      env: { ...process.env, CANARY: '' },
    });
    expect(stdout).to.include(hash);
  });

  it('differs from another one', async () => {
    expect((await play(1)).hash).to.not.equal((await play(2)).hash);
  });

  it('that fails is cut to the fewest acts, with the command that shows it', async () => {
    const { acts, outcome, command } = await reproduce(1, 'send-before-edition');
    expect(outcome.breach?.broken).to.equal('sent before its edition was kept');
    expect(outcome.acts).to.have.length(acts);
    expect((await play(1, { acts: acts - 1, canary: 'send-before-edition' })).breach).to.equal(null);
    expect(command).to.equal(`CANARY=send-before-edition npm run simulate -- --seed 1 --acts ${acts}`);
  });
});
