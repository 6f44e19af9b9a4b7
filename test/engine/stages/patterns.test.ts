import { globSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { repeatsAnAmbiguity } from '../../../engine/stages/ambiguity.ts';
import { findDangers } from '../../../engine/stages/dangers.ts';
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

  it('that repeat a group which takes the same text in two ways are found', () => {
    for (const pattern of [
      '^(a|aa)+$',
      '^(a|a)*$',
      '^(?:a|[a-z]b){2,}$',
      '^(?<name>\\d|\\w)+$',
      '^(x(a|aa)y|xb)*$',
      '^((?:a|aa)b?)+$',
      '^(.|\\s)*$',
      '^(a|)*$',
      '^(a|b?)+$',
      '^(a{1,5})+$',
      '^(a?a)+$',
      '^(ab|ac)+$',
      '^(a|aa){1,40}$',
      '^((?=a)a|b)+$',
      '^((a)|\\1b)+$',
      '^(\\p{L}|\\p{Lu})+$',
      '^(\\u0061|a)+$',
    ]) {
      expect(() => new RegExp(pattern, 'u'), pattern).not.to.throw();
      expect(repeatsAnAmbiguity(pattern), pattern).to.equal(true);
    }
  });

  it('whose alternatives begin with characters of their own are left alone', () => {
    for (const pattern of [
      '^(a|b)+$',
      '^(?:ab|cd)*$',
      '^(a|aa)$',
      '^(a|aa)?$',
      '^(a|aa){2}$',
      '^(ab?)+$',
      '^(a{3})+$',
      '^(\\d{1,3}\\.)+$',
      '^([A-Z]|[0-9]x)+$',
      '^[(a|a)]+$',
      '^\\((a|b)\\)+$',
      '^(\\p{Lu}|-)+$',
      '^\\+?[0-9 ().-]+$',
      '^\\d{1,9}(ms|s|m|h|d)$',
    ]) {
      expect(repeatsAnAmbiguity(pattern), pattern).to.equal(false);
    }
  });

  it('of our own schemas are all taken', () => {
    const files = globSync('schemas/**/*.schema.json');
    expect(files).to.include('schemas/dawy/booking.requested.schema.json');
    for (const file of files) {
      const wrong = findDangers(JSON.parse(readFileSync(file, 'utf8'))).filter(({ message }) =>
        message.includes('the pattern repeats'),
      );
      expect(wrong, file).to.deep.equal([]);
    }
  });

  it('are refused in a schema with what to write instead', () => {
    const [found] = findDangers({ properties: { a: { pattern: '^(a|aa)+$', maxLength: 64 } } });
    expect(found).to.include({ pointer: '/properties/a/pattern' });
    expect(found?.instead).to.include('^(a|b)+$');
  });
});
