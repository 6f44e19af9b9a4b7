import { expect } from 'chai';

import { addUp, countsIn, inWords, NONE } from './counts.ts';

describe('counts of a run', () => {
  it('are read from the last lines of mocha, colored or not', () => {
    const lines = [
      '    ✔ 3 passing ships',
      '',
      '  12 passing (3s)',
      '\u001b[36m  2 pending\u001b[0m',
      '  1 failing',
    ];

    expect(countsIn(lines)).to.deep.equal({ passed: 12, failed: 1, skipped: 2 });
  });

  it('are null when mocha ended before it counted', () => {
    expect(countsIn(['  intake', '    ✔ keeps it'])).to.equal(null);
  });

  it('add up to one line', () => {
    const both = addUp({ passed: 5, failed: 0, skipped: 1 }, { ...NONE, failed: 2 });

    expect(inWords(both)).to.equal('5 passed, 2 failed, 1 skipped');
  });
});
