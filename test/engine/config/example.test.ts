import { resolve } from 'node:path';
import { expect } from 'chai';
import { channelKinds } from '../../../channels/index.ts';
import { compile } from '../../../engine/config/compile.ts';
import { formatProblem } from '../../../engine/config/problems.ts';
import { readFolder } from '../../../engine/config/source.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const ENV = {
  AMQP_URL: 'amqp://127.0.0.1',
  ALNOOR_URL: 'http://127.0.0.1:8001',
  STMARY_URL: 'http://127.0.0.1:8002',
};

describe('the example network', () => {
  it('compiles without a word', () => {
    const result = compile({ ...readFolder(ROOT), env: ENV, kinds: channelKinds });
    const said = result.kind === 'plan' ? result.warnings : result.problems;
    expect(said.map((problem) => formatProblem(problem))).to.deep.equal([]);
  });

  it('names every variable that is not set, and nothing else', () => {
    const result = compile({ ...readFolder(ROOT), env: {}, kinds: channelKinds });
    const said = result.kind === 'plan' ? result.warnings : result.problems;
    expect(said.map(({ message }) => message)).to.deep.equal([
      'the environment variable AMQP_URL is not set',
      'the environment variable ALNOOR_URL is not set',
      'the environment variable STMARY_URL is not set',
    ]);
  });
});
