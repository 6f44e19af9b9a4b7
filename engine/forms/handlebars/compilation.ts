import type { Problem } from '../../plan.ts';
import type { Place } from '../refusal.ts';
import type { CodeMaps, Scope, TemplateRead } from '../template.ts';

/** Text as it must be written in the output's form; null when that form cannot say it. */
export type Escape = (text: string) => string | null;

/** One template file while it is compiled: where its texts stand, and what was found in them. */
export interface Compilation {
  readonly file: string;
  readonly codes: CodeMaps;
  readonly reads: TemplateRead[];
  readonly problems: Problem[];
}

/** A text of the file: turns a position as Handlebars counts (columns from 0) into a place in the file. */
export type Locate = (position: { readonly line: number; readonly column: number }) => Place;

export function report(compilation: Compilation, place: Place, message: string, instead?: string): void {
  const { file, problems } = compilation;
  problems.push({
    file,
    ...place,
    message,
    ...(instead === undefined ? {} : { instead }),
    severity: 'error',
  });
}

/** What a template sees at one moment: `this`, what is around it, and its place in the list of an `each`. */
export interface Frame {
  readonly scope: Scope;
  readonly value: unknown;
  readonly outer: Frame | null;
  readonly item: { readonly index: number; readonly first: boolean; readonly last: boolean } | null;
}

export function outermost(scope: Scope): Frame {
  return { scope, value: scope, outer: null, item: null };
}

/** Where in the scope `this` is at one place of a template, from the outside in, and what is known to be there. */
export interface Names {
  readonly contexts: readonly (readonly string[])[];
  /** Inside an `each`, where `@index` has a meaning. */
  readonly inList: boolean;
  /** Paths that something around this place has looked at: this place is only reached when they are there. */
  readonly guarded: readonly (readonly string[])[];
}

export const OUTERMOST: Names = { contexts: [[]], inList: false, guarded: [] };

export function within(names: Names, context: readonly string[], inList: boolean): Names {
  return { ...names, contexts: [...names.contexts, context], inList };
}

export function guardedBy(names: Names, path: readonly string[] | null): Names {
  return path === null ? names : { ...names, guarded: [...names.guarded, path] };
}

/** Whether a path, or what it is in, was looked at. What no schema can promise is then no surprise. */
export function isGuarded({ guarded }: Names, path: readonly string[]): boolean {
  return guarded.some((guard) => guard.every((part, i) => path[i] === part));
}
