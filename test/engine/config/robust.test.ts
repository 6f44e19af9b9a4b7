import { expect } from 'chai';
import fc from 'fast-check';
import { compiled, FILES } from './network.ts';

const ODD = [
  '',
  '[]',
  '{}',
  '[1, {a: b}]',
  'true',
  '12',
  '~',
  '*a',
  '&a b',
  '${env:X}',
  '{{x}}',
  '- 1',
  '__proto__',
  '.nan',
  '/a',
];
const NAMES = Object.keys(FILES);

/** A line of a file taken out, doubled, moved to the right, or with another value. */
const damage = fc.record({
  file: fc.nat({ max: NAMES.length * 3 }).map((n) => NAMES[n] ?? 'routes.yaml'),
  line: fc.nat({ max: 70 }),
  how: fc.constantFrom('remove', 'double', 'indent', 'replace'),
  by: fc.constantFrom(...ODD),
});

type Damage = typeof damage extends fc.Arbitrary<infer Made> ? Made : never;

function damaged(
  files: Readonly<Record<string, string>>,
  { file, line, how, by }: Damage,
): Record<string, string> {
  const lines = (files[file] ?? '').split('\n');
  const at = line % lines.length;
  const text = lines[at] ?? '';
  const instead = {
    remove: [],
    double: [text, text],
    indent: [`  ${text}`],
    replace: [text.replace(/: .*$/, () => `: ${by}`)],
  }[how];
  lines.splice(at, 1, ...instead);
  return { ...files, [file]: lines.join('\n') };
}

describe('a damaged configuration', () => {
  it('is a plan, or problems that each have a place; it is never thrown', () => {
    const property = fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
      const result = compiled(damages.reduce<Readonly<Record<string, string>>>(damaged, FILES));
      if (result.kind === 'plan') return;
      expect(result.problems.some(({ severity }) => severity === 'error')).to.equal(true);
      for (const { line, column } of result.problems) expect(Math.min(line, column)).to.be.at.least(1);
    });
    fc.assert(property, { numRuns: 60 });
  }).timeout(30_000);
});
