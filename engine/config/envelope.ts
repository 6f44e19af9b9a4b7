import type { OptionsSchema } from '../channel.ts';
import { BridgeError } from '../errors.ts';
import type { CodeMaps, Scope, Template, TemplateRead } from '../forms/template.ts';
import { type Compilation, reportKey, reportValue } from './compilation.ts';
import type { RenderConfig } from './config.ts';
import type { At } from './positions.ts';
import type { Position } from './problems.ts';
import { propertiesOf } from './schema-parts.ts';
import { didYouMean } from './suggest.ts';

/** An expression in a value of the envelope. */
export interface Embedded {
  readonly template: Template;
  readonly placeOf: (read: TemplateRead) => Position;
}

/** What a route says beside its template, compiled. */
export interface Envelope {
  readonly embedded: readonly Embedded[];
  /** Throws what a template throws, and `output-invalid` for what would change the meaning of the value around it. */
  readonly render: (scope: Scope) => Readonly<Record<string, string>>;
}

type Part = (scope: Scope) => string;

/** Compiles the keys beside `template` at `at` by the envelope of the kind of channel that is rendered for. */
export function compileEnvelope(
  compilation: Compilation,
  config: RenderConfig,
  { schema, codes }: { readonly schema: OptionsSchema; readonly codes: CodeMaps },
  at: At,
): Envelope {
  const known = propertiesOf(schema);
  const embedded: Embedded[] = [];
  const values = new Map<string, Part>();
  for (const [name, property] of Object.entries(known)) {
    if (property['default'] !== undefined) values.set(name, () => String(property['default']));
  }
  for (const [name, value] of Object.entries(config)) {
    if (name === 'template' || value === undefined) continue;
    if (known[name] === undefined && typeof schema['additionalProperties'] !== 'object') {
      reportKey(
        compilation,
        [...at, name],
        `${name} means nothing to this channel`,
        didYouMean(name, Object.keys(known)),
      );
    } else {
      values.set(name, compileValue(compilation, { name, value, codes, at: [...at, name] }, embedded));
    }
  }
  for (const name of requiredBy(schema)) {
    if (!values.has(name) && !compilation.yaml.has([...at, name]))
      reportKey(compilation, at, `${at.join('.')} lacks ${name}`, `Add ${name}.`);
  }
  return {
    embedded,
    render: (scope) => Object.fromEntries([...values].map(([name, part]) => [name, part(scope)])),
  };
}

function requiredBy(schema: OptionsSchema): readonly string[] {
  const required = schema['required'];
  return Array.isArray(required) ? required.map(String) : [];
}

interface Value {
  readonly name: string;
  readonly value: string;
  readonly codes: CodeMaps;
  readonly at: At;
}

const EXPRESSION = /\{\{(.*?)\}\}/g;

function compileValue(
  compilation: Compilation,
  { name, value, codes, at }: Value,
  embedded: Embedded[],
): Part {
  const parts: Part[] = [];
  let end = 0;
  for (const match of value.matchAll(EXPRESSION)) {
    const literal = value.slice(end, match.index);
    parts.push(() => literal);
    end = match.index + match[0].length;
    const one = compileExpression(compilation, match[0], { codes, at, offset: match.index });
    if (one === null) continue;
    embedded.push(one);
    parts.push((scope) => insert(name, one.template, scope));
  }
  const rest = value.slice(end);
  // Sent as it stands, half an expression would become part of an address.
  if (/\{\{|\}\}/.test(value.replace(EXPRESSION, ''))) {
    reportValue(compilation, at, 'an expression begins or ends alone', 'Write {{ before it and }} after it.');
  }
  return (scope) => `${parts.map((part) => part(scope)).join('')}${rest}`;
}

/** One expression as a JSON template of its own: the same words mean the same here and in a file. */
function compileExpression(
  compilation: Compilation,
  expression: string,
  { codes, at, offset }: { readonly codes: CodeMaps; readonly at: At; readonly offset: number },
): Embedded | null {
  const { yaml, tools, problems } = compilation;
  const quoted = JSON.stringify(expression);
  const compiled = tools.compileTemplate(`${yaml.file}.${at.join('.')}.json.yaml`, quoted, codes);
  const start = yaml.valueAt(at);
  const quote = yaml.isQuoted(at) ? 1 : 0;
  // The expression stands one column further right in its own template, because of the quote before it.
  const placeOf = ({ column }: { readonly column: number }): Position => ({
    line: start.line,
    column: start.column + quote + offset + Math.max(column - 2, 0),
  });
  if (compiled.kind === 'template') return { template: compiled.template, placeOf };
  for (const problem of compiled.problems) problems.add({ ...problem, file: yaml.file, ...placeOf(problem) });
  if (compiled.problems.length === 0) reportValue(compilation, at, 'the expression cannot be read');
  return null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin a header of its own
const CONTROL = /[\u0000-\u001f\u007f]/;

/** What an expression gives as text. In a `path` it is one segment, or a part of one, and can be nothing else. */
function insert(name: string, template: Template, scope: Scope): string {
  const value: unknown = JSON.parse(Buffer.from(template.render(scope)).toString('utf8'));
  const refuse = (why: string) => new BridgeError('output-invalid', `an expression in ${name} gives ${why}`);
  if (value === null || typeof value === 'object' || value === '') throw refuse('no text');
  const text = String(value);
  if (CONTROL.test(text)) throw refuse('a control character');
  if (name !== 'path') return text;
  // Escaping leaves dots as they are, and a URL of two dots leads elsewhere.
  if (/^\.+$/.test(text)) throw refuse('nothing but dots');
  if (!text.isWellFormed()) throw refuse('half of a surrogate pair');
  return encodeURIComponent(text);
}
