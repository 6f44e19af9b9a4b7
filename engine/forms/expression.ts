import type { Problem } from '../plan.ts';
import { type Compilation, type Escape, OUTERMOST, outermost } from './handlebars/compilation.ts';
import { compileProgram } from './handlebars/program.ts';
import type { CodeMaps, Scope, TemplateRead } from './template.ts';

export type CompiledText =
  | {
      readonly kind: 'text';
      /** Throws what a template throws. */
      render(scope: Scope): string;
      readonly reads: readonly TemplateRead[];
    }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

const ESCAPES: Readonly<Record<'uri' | 'none', Escape>> = { uri: escapeUri, none: oneLine };

/**
 * Compiles one text of routes.yaml that may hold expressions: the path of a REST request, a SOAP action. `line`
 * and `column` say where it stands. With `uri` a value becomes one component of a URI and cannot leave its place;
 * with `none` it stays as it is, on one line.
 */
export function compileText(
  file: string,
  line: number,
  column: number,
  text: string,
  values: 'uri' | 'none',
  codes: CodeMaps,
): CompiledText {
  const compilation: Compilation = { file, codes, reads: [], problems: [] };
  const { write } = compileProgram(text, OUTERMOST, {
    compilation,
    escape: ESCAPES[values],
    locate: (at) => ({ line: line + at.line - 1, column: at.column + (at.line === 1 ? column : 1) }),
  });
  const { problems, reads } = compilation;
  if (problems.length > 0) return { kind: 'problems', problems };
  return { kind: 'text', reads, render: (scope) => write(outermost(scope)) };
}

// An empty value would ask for the whole collection, `..` for its parent.
function escapeUri(text: string): string | null {
  if (text === '' || text === '.' || text === '..' || !text.isWellFormed()) return null;
  return encodeURIComponent(text);
}

// A line break in a header would begin another one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

function oneLine(text: string): string | null {
  return CONTROL.test(text) ? null : text;
}
