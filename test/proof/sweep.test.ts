import { chanceOf } from '../crash/random.ts';
import { say } from '../crash/verdict.ts';
import { line } from './report.ts';
import { inWords, SWEEP_CELLS, sweep } from './sweeping.ts';
import { prove, type Row } from './trial.ts';

// A short run has its kills; every moment takes minutes.
if (process.env['DEEP'] === '1')
  describe('two hundred messages, with one fault at each moment', () => {
    const told = new Map<string, PromiseWithResolvers<Row>>();
    let seed = 0;

    before(() => {
      ({ seed } = chanceOf(say));
      for (const { id } of SWEEP_CELLS) told.set(id, Promise.withResolvers());
      // Side by side; each test waits for its own.
      sweep(seed, (row) => told.get(row.id)?.resolve(row)).catch((thrown: unknown) => {
        for (const { promise, reject } of told.values()) {
          promise.catch(() => undefined);
          reject(thrown);
        }
      });
    });

    for (const cell of SWEEP_CELLS) {
      it(`${cell.id}: ${inWords(cell)}`, async () => {
        const row = await told.get(cell.id)!.promise;
        prove(row.failure === null, line(row, seed));
      });
    }
  });
