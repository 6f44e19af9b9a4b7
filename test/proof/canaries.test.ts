import { expect } from 'chai';
import { CANARIES, type CanaryName } from '../canaries/canary.ts';
import { say } from '../crash/verdict.ts';
import { CELLS } from './cells.ts';
import { runCell } from './trial.ts';

/** Mistakes that only a real broker or database shows, the cell that must find each, and what it must say. */
const FOUND: readonly (readonly [canary: CanaryName, cell: string, finds: RegExp])[] = [
  ['ignored-returns', 'R11', /counted as delivered|never heard/],
  ['no-dedupe', 'R01', /rows for|duplicate effects [1-9]|unknown [1-9]/],
  ['send-before-edition', 'R02', /before their edition was on disk/],
];

// Each runs a cell as everybody runs it: in a deep run there is the time.
if (process.env['DEEP'] === '1')
  describe('the cells, with a mistake planted', () => {
    afterEach(() => {
      delete process.env['CANARY'];
    });

    for (const [canary, id, finds] of FOUND) {
      it(`${id} finds that ${CANARIES[canary].mistake}`, async () => {
        process.env['CANARY'] = canary;
        const row = await runCell(CELLS.find((cell) => cell.id === id)!, 1);
        say(`${canary}: ${row.failure}`);
        expect(row.failure).to.match(finds);
      });
    }
  });
