import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

import { aFolderPerTest } from '../sandbox/temporary.ts';
import { judge, type Verdict } from './catches.ts';

/** One handler of each kind, a line each; a word on the command line makes one of them run. */
const SOURCE = `
const word: string = process.argv[2] ?? '';
interface Thrown { readonly no: number }
function fails(name: string): void { if (word === name) throw new Error(name); }
function block(): string { try { fails('block'); return ''; } catch { return 'ran'; } }
function bare(): void { try { fails('bare'); } catch (thrown) { /* nothing */ } }
async function waits(): Promise<number> { try { await null; fails('waits'); return 1; } catch { return 2; } }
async function rejects(name: string): Promise<Thrown> { fails(name); return { no: 1 }; }
if (word !== 'nothing') {
  block();
  bare();
  await waits();
  await rejects('caught').catch(() => undefined);
  await rejects('second').then(() => 1, async () => 2);
  const next = await rejects('maker').then(() => null, () => () => 3);
}
`;

describe('what no test executes', () => {
  const folder = aFolderPerTest();

  /** Runs the source once for each word, and judges by what the processes left. */
  function judgedAfter(...words: readonly string[]): Verdict {
    const source = join(folder(), 'source.ts');
    const reports = join(folder(), 'reports');
    writeFileSync(source, SOURCE);
    mkdirSync(reports);
    for (const word of words) {
      const { status, stderr } = spawnSync(process.execPath, [source, word], {
        env: { ...process.env, NODE_V8_COVERAGE: reports },
        encoding: 'utf8',
      });
      expect(status, stderr).to.equal(0);
    }
    return judge([source], folder(), reports);
  }

  it('is every handler of a file that nothing ran, or that nothing went wrong in', () => {
    const all = [
      'source.ts:5: no test executes this catch block',
      'source.ts:6: no test executes this catch block',
      'source.ts:7: no test executes this catch block',
      'source.ts:13: no test executes this rejection handler',
      'source.ts:14: no test executes this rejection handler',
      'source.ts:15: no test executes this rejection handler',
    ];
    const count = '0 of 6 catch blocks and rejection handlers were executed';

    expect(judgedAfter()).to.deep.equal({ missing: all, count });
  });

  it('is still every handler when all went well', () => {
    expect(judgedAfter('nothing', 'well').count).to.match(/^0 of 6 /);
  });

  for (const [word, line] of [
    ['block', 5],
    ['bare', 6],
    ['waits', 7],
    ['caught', 13],
    ['second', 14],
    ['maker', 15],
  ] as const) {
    it(`is not the handler of ${word} once it ran, and is all the others`, () => {
      const { missing } = judgedAfter(word);

      expect(missing).to.have.length(5);
      expect(missing.filter((place) => place.startsWith(`source.ts:${line}:`))).to.deep.equal([]);
    });
  }

  it('is nothing when each ran in some process', () => {
    expect(judgedAfter('block', 'bare', 'waits', 'caught', 'second', 'maker')).to.deep.equal({
      missing: [],
      count: '6 of 6 catch blocks and rejection handlers were executed',
    });
    expect(readdirSync(join(folder(), 'reports'))).to.have.length(6);
  });

  it('is a handler that is handed over by its name, whoever runs it', () => {
    const source = join(folder(), 'source.ts');
    writeFileSync(
      source,
      'const forget = () => undefined;\nforget();\nawait Promise.reject().catch(forget);\n',
    );

    expect(judge([source], folder(), folder()).missing).to.deep.equal([
      'source.ts:3: write this rejection handler in place: by its name nobody can tell who runs it',
    ]);
  });
});
