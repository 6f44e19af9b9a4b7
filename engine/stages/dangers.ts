import { repeatsAnAmbiguity } from './ambiguity.ts';
import { repeatsARepeat } from './patterns.ts';

/** Something wrong with a schema, at a pointer into it or at a place in its text. */
export type Finding = { readonly message: string; readonly instead?: string } & (
  | { readonly pointer: string }
  | { readonly line: number; readonly column: number }
);

type Node = Readonly<Record<string, unknown>>;

// What these hold is data or names, not schemas.
const NOT_SCHEMAS = new Set(['const', 'enum', 'default', 'examples', 'required']);
const NAMED_SCHEMAS = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies']);

/** What in a schema lets one hostile body stop the engine: slow patterns, and checks without a bound on their size. */
export function findDangers(schema: unknown, pointer = ''): readonly Finding[] {
  if (Array.isArray(schema)) return schema.flatMap((item, i) => findDangers(item, `${pointer}/${i}`));
  if (!isNode(schema)) return [];
  const below = Object.entries(schema).flatMap(([keyword, value]) => {
    if (NOT_SCHEMAS.has(keyword)) return [];
    const here = `${pointer}/${escaped(keyword)}`;
    if (!NAMED_SCHEMAS.has(keyword) || !isNode(value)) return findDangers(value, here);
    return Object.entries(value).flatMap(([name, part]) => findDangers(part, `${here}/${escaped(name)}`));
  });
  return [...own(schema, pointer), ...below];
}

function own(schema: Node, pointer: string): readonly Finding[] {
  const found: Finding[] = [];
  const { pattern } = schema;
  if (typeof pattern === 'string' && repeatsARepeat(pattern)) {
    found.push({
      pointer: `${pointer}/pattern`,
      message: 'the pattern repeats something that repeats itself: one hostile text stops the engine',
      instead: 'a pattern with one repetition, such as ^[A-Z]+$ for ^([A-Z]+)+$',
    });
  } else if (typeof pattern === 'string' && repeatsAnAmbiguity(pattern)) {
    found.push({
      pointer: `${pointer}/pattern`,
      message:
        'the pattern repeats a group that can take the same text in two ways: one hostile text stops the engine',
      instead: 'alternatives that each begin with another character, such as ^(a|b)+$; or one class: ^[ab]+$',
    });
  }
  if (typeof pattern === 'string' && schema['maxLength'] === undefined) {
    found.push({
      pointer: `${pointer}/pattern`,
      message: 'a pattern without maxLength is tried on texts of any length',
      instead: 'maxLength beside it',
    });
  }
  if (schema['uniqueItems'] === true && schema['maxItems'] === undefined) {
    found.push({
      pointer: `${pointer}/uniqueItems`,
      message: 'uniqueItems without maxItems compares lists of any length',
      instead: 'maxItems beside it',
    });
  }
  return found;
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
