import type { Problem } from '../plan.ts';

/** What a template may read. */
export interface Scope {
  readonly message: unknown;
  readonly booking: Readonly<Record<string, unknown>> | null;
  readonly edition: { readonly key: string };
  readonly system: { readonly name: string; readonly timeZone: string | null };
  readonly received: { readonly at: string };
  readonly asked: { readonly type: string };
}

/** One place where a template reads a value. */
export interface TemplateRead {
  /** From the scope on: `['message', 'patient', 'name']`; `'*'` for an item of a list. */
  readonly path: readonly string[];
  readonly line: number;
  readonly column: number;
  /** Absence is allowed there (`optional`, `if`, `default`). */
  readonly optional: boolean;
}

/** A template, compiled at load. */
export interface Template {
  readonly file: string;
  readonly reads: readonly TemplateRead[];
  /** Throws `fact-missing` for an absent `booking.…`, `code-missing`, or `render-failed`; its message names file, line and path, never a value. */
  render(scope: Scope): Uint8Array;
}

/** Code maps of a system by name: from our code to the system's. */
export type CodeMaps = ReadonlyMap<string, ReadonlyMap<string, string>>;

export type CompiledTemplate =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Compiles the text of a template file, the way its ending says. */
export type CompileTemplate = (file: string, text: string, codes: CodeMaps) => CompiledTemplate;
