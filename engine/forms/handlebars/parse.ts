import handlebars from 'handlebars';
import { BridgeError } from '../../errors.ts';
import { type Compilation, type Locate, report } from './compilation.ts';

// Handlebars is used for its language only: its parser gives the tree, and we evaluate the tree. What Handlebars
// would run instead is generated code that knows no form but HTML, prints nothing for what is absent, says
// neither file nor line when it fails, and cannot keep the type of a value.
const PARSER = handlebars.create();

/** Parses the text of a template; null when it cannot, which is then reported. */
export function parse(compilation: Compilation, text: string, locate: Locate): hbs.AST.Program | null {
  // An object here would be taken for a parsed tree (CVE-2026-33937).
  if (typeof text !== 'string') throw new BridgeError('config-invalid', 'a template is not a text');
  try {
    return PARSER.parse(text);
  } catch (thrown) {
    const { line, column, message } = failure(thrown);
    report(compilation, locate({ line, column }), message);
    return null;
  }
}

/** What Handlebars says, in one line. Its messages show the template, never a message. */
function failure(thrown: unknown): { line: number; column: number; message: string } {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof handlebars.Exception && typeof thrown.lineNumber === 'number') {
    const message = text.replace(/ - \d+:\d+$/, '');
    return { line: thrown.lineNumber, column: Number(thrown.column ?? 0), message };
  }
  const line = Number(/^(?:Parse|Lexical) error on line (\d+)/.exec(text)?.[1] ?? 1);
  const got = /got '(\w+)'/.exec(text)?.[1];
  if (got === 'EOF') return { line, column: 0, message: 'a block is opened here or before and never closed' };
  const token = got === undefined ? '' : `: ${TOKENS[got] ?? got.toLowerCase()} stands where it must not`;
  return { line, column: 0, message: `the expression cannot be read${token}` };
}

const TOKENS: Readonly<Record<string, string>> = {
  CLOSE: '}}',
  CLOSE_UNESCAPED: '}}}',
  OPEN_ENDBLOCK: '{{/',
  INVERSE: '{{else}}',
  INVALID: 'a character that has no meaning in an expression',
};
