import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';

import { aFolderPerTest } from '../sandbox/temporary.ts';
import { executed } from './executed.ts';

describe('what was executed, by the reports of V8', () => {
  const folder = aFolderPerTest();
  const here = { path: '/checkout/engine/gate.ts', at: 50 };

  /** Leaves a report in which a function from 0 to 100 has these ranges inside it. */
  function report(
    pid: number,
    isBlockCoverage: boolean,
    ...inside: readonly (readonly [number, number, number])[]
  ) {
    const ranges = [[0, 100, 4], ...inside].map(([startOffset, endOffset, count]) => ({
      startOffset,
      endOffset,
      count,
    }));
    const url = pathToFileURL(here.path).href;
    const result = [{ scriptId: '1', url, functions: [{ functionName: '', isBlockCoverage, ranges }] }];
    writeFileSync(join(folder(), `coverage-${pid}.json`), JSON.stringify({ result }));
  }

  const isExecuted = () => executed([here], folder()).has(here);

  it('is what the innermost range around it says, and that ends before its end', () => {
    report(1, true, [10, 90, 0], [40, 60, 2]);
    expect(isExecuted()).to.equal(true);

    report(1, true, [10, 90, 2], [40, 51, 0]);
    expect(isExecuted()).to.equal(false);

    report(1, true, [10, 90, 2], [40, 50, 0]);
    expect(isExecuted()).to.equal(true);
  });

  it('is what one process did, whatever the others did not', () => {
    report(1, true, [40, 60, 0]);
    report(2, true, [40, 60, 1]);
    report(3, true, [40, 60, 0]);

    expect(isExecuted()).to.equal(true);
  });

  it('is not what V8 counted by the function alone, as it does for code from a cache', () => {
    report(1, false);

    expect(isExecuted()).to.equal(false);
  });

  it('is nothing of a file that no process read', () => {
    report(1, true);

    expect([...executed([{ path: '/checkout/engine/other.ts', at: 50 }], folder())]).to.deep.equal([]);
  });
});
