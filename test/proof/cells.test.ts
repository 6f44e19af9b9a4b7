import { chanceOf } from '../crash/random.ts';
import { say } from '../crash/verdict.ts';
import { CELLS } from './cells.ts';
import { line } from './report.ts';
import { prove, type Row, runCell } from './trial.ts';

/** How many cells are at work at a time: most of its time a cell waits. */
const SIDE_BY_SIDE = 3;

// The cheap ones, in a deep run; all of them by `npm run proof -- --all`.
if (process.env['DEEP'] === '1')
  describe('the cells of the reliability matrix that are cheap', () => {
    const cells = CELLS.filter(({ cheap }) => cheap);
    const told = new Map(cells.map(({ id }) => [id, Promise.withResolvers<Row>()]));
    let seed = 0;

    before(() => {
      ({ seed } = chanceOf(say));
      const left = [...cells];
      const work = async () => {
        for (let cell = left.shift(); cell !== undefined; cell = left.shift())
          told.get(cell.id)!.resolve(await runCell(cell, seed, 'told'));
      };
      // Side by side; each test waits for its own.
      for (let at = 0; at < SIDE_BY_SIDE; at += 1) void work();
    });

    for (const { id, fault, expects } of cells) {
      it(`${id}: ${fault}: ${expects}`, async () => {
        const row = await told.get(id)!.promise;
        for (const figure of row.figures) say(figure);
        prove(row.failure === null, line(row, seed));
      });
    }
  });
