import { textAt } from '../forms/form.ts';
import type { Compilation } from './compilation.ts';
import type { FormName, WhenConfig } from './config.ts';
import { pathOfKey } from './paths.ts';
import type { At } from './positions.ts';

/** What a condition looks at beside the body: `hospital`, `type` or `asked`, by these names. */
export type Beside = Readonly<Record<string, string>>;
export type Condition = (body: unknown, beside: Beside) => boolean;

/** Compiles `when:`. A key of `words` is looked up beside the body, every other one is a path into it; all must hold. */
export function conditionIn(
  compilation: Compilation,
  form: FormName | undefined,
  when: WhenConfig,
  { at, words }: { readonly at: At; readonly words: readonly string[] },
): Condition {
  if (form === undefined) return () => false;
  const tests = Object.keys(when).map((key): Condition => {
    const wanted = new Set(wantedIn(compilation, when, [...at, key]).map(({ text }) => text));
    if (words.includes(key)) return (_body, beside) => wanted.has(beside[key] ?? '');
    const path = pathOfKey(compilation, form, [...at, key], words);
    return (body) => {
      const found = textAt(path, body);
      return found !== undefined && wanted.has(found);
    };
  });
  return (body, beside) => tests.every((test) => test(body, beside));
}

/** A value that a key of a condition allows, as it is written, and where. */
export interface Wanted {
  readonly text: string;
  readonly at: At;
}

/** The values that the key at the end of `at` allows; none when it is not there. */
export function wantedIn({ yaml }: Compilation, when: WhenConfig, at: At): readonly Wanted[] {
  const value = when[String(at.at(-1))];
  if (value === undefined) return [];
  const places = Array.isArray(value) ? value.map((_item, index) => [...at, index]) : [at];
  return places.map((place) => ({ text: yaml.textAt(place) ?? '', at: place }));
}
