import { expect } from 'chai';
import { repeatsARepeat } from '../../../engine/stages/patterns.ts';

describe('patterns', () => {
  it('that repeat a repeat are found', () => {
    for (const pattern of [
      '^(a+)+$',
      '([A-Z]+)*',
      '(a*){2,}',
      '(a|b*)+',
      '((a+)b)+',
      '(?:x(y+))*',
      '(a+){2,1000}',
      '(a{2,})+',
      '([^)]+)+',
      '(\\(+)+',
    ]) {
      expect(repeatsARepeat(pattern), pattern).to.equal(true);
    }
  });

  it('that do not are left alone', () => {
    for (const pattern of [
      '^[A-Z]+$',
      '(?:ab)+',
      '(a+)b+',
      '(a{1,5})+',
      '\\(a+\\)+',
      '[(a+)]+',
      '(a{3})+',
      '(a+)?',
      '(ab?)+',
      '^\\+?[0-9 ().-]+$',
      'a{b}+',
    ]) {
      expect(repeatsARepeat(pattern), pattern).to.equal(false);
    }
  });
});
