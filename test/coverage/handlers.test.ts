import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

import { aFolderPerTest } from '../sandbox/temporary.ts';
import { handlersIn } from './handlers.ts';

describe('handlers in a source', () => {
  const folder = aFolderPerTest();

  /** Each handler of a text: where it is, what it is, and the text at its position. */
  function found(text: string) {
    const path = join(folder(), 'source.ts');
    writeFileSync(path, text);
    return handlersIn([path], folder()).map(({ place, kind, at }) => [
      place,
      kind,
      readFileSync(path, 'utf8').slice(at, at + 9),
    ]);
  }

  it('are catch blocks, with and without what was thrown', () => {
    const text = 'try { one(); } catch {two(1); }\ntry { three(); }\ncatch (thrown) {four(1); }';

    expect(found(text)).to.deep.equal([
      ['source.ts:1', 'catch', 'two(1); }'],
      ['source.ts:3', 'catch', 'four(1); '],
    ]);
  });

  it('are what `catch` and, second, `then` are called with, and nothing else of a chain', () => {
    const text = `promise
      .then(() => yes(1))
      .then((a) => yes(2), (b) => no(3))
      .catch(async function () { no(4); })
      .catch?.(({ deep }) => ({ no: 5 }))
      .finally(() => yes(6));`;

    expect(found(text)).to.deep.equal([
      ['source.ts:5', 'rejection', ' ({ no: 5'],
      ['source.ts:4', 'rejection', ' { no(4);'],
      ['source.ts:3', 'rejection', ' no(3))\n '],
    ]);
  });

  it('are called by a name when they were not written where they are handed over', () => {
    expect(found('promise.then(undefined, forget).catch(this.#forget);')).to.deep.equal([
      ['source.ts:1', 'named', 'this.#for'],
      ['source.ts:1', 'named', 'forget).c'],
    ]);
  });

  it('are found inside one another, and inside the text of a template', () => {
    const text = 'try { a(); } catch {`${one.catch(() => two(1))}`; try { b(); } catch {three(1); } }';

    expect(found(text).map(([, kind, at]) => [kind, at])).to.deep.equal([
      ['catch', '`${one.ca'],
      ['rejection', ' two(1))}'],
      ['catch', 'three(1);'],
    ]);
  });

  it('are not what only looks like them: texts, templates, expressions and comments', () => {
    const text = [
      'const one = \'try { } catch { }\' + "p.catch(() => 1)";',
      'const two = `try { } catch { } ${1} .catch(() => 2)`;',
      'const three = [/catch \\{ } p.catch(x)[/]"`/, 4 / 2, /\'/g];',
      '// try { } catch { }',
      '/* p.catch(() => 3) */ const four = { catch: 1, then: 2 }.catch;',
      'const five = handler.catch(), six = promise.then(() => 1);',
    ].join('\n');

    expect(found(text)).to.deep.equal([]);
  });

  it('are counted as V8 counts: in UTF-16 code units', () => {
    expect(found("try { say('مرحبا 🏥'); } catch {two(1); }")).to.deep.equal([
      ['source.ts:1', 'catch', 'two(1); }'],
    ]);
  });
});
