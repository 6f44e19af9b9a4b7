import { expect } from 'chai';
import { formatProblem } from '../../../engine/config/problems.ts';
import { type Edit, edited, saidOf } from './network.ts';

/** A mistake, made by edits of the network without one, and everything that is said about it. */
export interface LintCase {
  readonly finds: string;
  readonly in: readonly Edit[];
  /** Each as it is printed; one that ends in two spaces stands for every text, which is another part's to word. */
  readonly says: readonly string[];
}

/** One test per mistake: nothing more and nothing less is said about it, and at the right place. */
export function lintTable(title: string, cases: readonly LintCase[]): void {
  describe(title, () => {
    for (const one of cases) {
      it(`finds ${one.finds}`, () => {
        const said = saidOf(edited(...one.in)).map((problem) => formatProblem(problem));
        const comparable = said.map((text, index) => {
          const wanted = one.says[index] ?? '';
          return wanted.endsWith('  ') ? text.slice(0, wanted.length) : text;
        });
        expect(comparable).to.deep.equal(one.says);
      });
    }
  });
}
