import { BridgeError } from '../../errors.ts';
import type { Place } from '../refusal.ts';
import {
  type Compilation,
  type Escape,
  type Frame,
  guardedBy,
  type Locate,
  type Names,
  report,
  within,
} from './compilation.ts';
import { compileCall, compileExpression } from './expression.ts';
import { parse } from './parse.ts';
import type { Expression } from './read.ts';

/** Writes one part of a text. */
export type Write = (frame: Frame) => string;

/** A text with expressions in it. */
export interface Text {
  readonly write: Write;
  /** The expression, when the text is nothing else. */
  readonly only: Expression | null;
  /** The text, when there is no expression in it. */
  readonly literal: string | null;
}

interface Setting {
  readonly compilation: Compilation;
  readonly locate: Locate;
  readonly escape: Escape;
}

const NOTHING: Write = () => '';

/** Compiles a text; what is wrong with it is reported, and the text then writes nothing. */
export function compileProgram(text: string, names: Names, setting: Setting): Text {
  const program = parse(setting.compilation, text, setting.locate);
  if (program === null) return { write: NOTHING, only: null, literal: null };
  const [first, ...others] = program.body;
  if (first?.type === 'MustacheStatement' && others.length === 0) {
    const only = expressionOf(first as hbs.AST.MustacheStatement, names, setting);
    return { write: only === null ? NOTHING : writer(only, setting), only, literal: null };
  }
  const isLiteral = program.body.every(({ type }) => type === 'ContentStatement');
  const contents = program.body.map((statement) => (statement as hbs.AST.ContentStatement).value);
  const write = compileBody(program, names, setting);
  return { write, only: null, literal: isLiteral ? contents.join('') : null };
}

function compileBody(program: hbs.AST.Program | undefined, names: Names, setting: Setting): Write {
  if (program === undefined) return NOTHING;
  const parts = program.body.map((statement) => compileStatement(statement, names, setting));
  return (frame) => parts.map((part) => part(frame)).join('');
}

function compileStatement(statement: hbs.AST.Statement, names: Names, setting: Setting): Write {
  switch (statement.type) {
    case 'ContentStatement': {
      const { value } = statement as hbs.AST.ContentStatement;
      return () => value;
    }
    case 'CommentStatement':
      return NOTHING;
    case 'MustacheStatement': {
      const expression = expressionOf(statement as hbs.AST.MustacheStatement, names, setting);
      return expression === null ? NOTHING : writer(expression, setting);
    }
    case 'BlockStatement':
      return compileBlock(statement as hbs.AST.BlockStatement, names, setting);
    default: {
      const place = setting.locate(statement.loc.start);
      report(setting.compilation, place, 'a template is one file: it has no partials and no decorators');
      return NOTHING;
    }
  }
}

function expressionOf(
  statement: hbs.AST.MustacheStatement,
  names: Names,
  { compilation, locate }: Setting,
): Expression | null {
  if (!statement.escaped) {
    const message =
      'three braces (and &) would write a value as it is, and a value could then write the message';
    report(compilation, locate(statement.loc.start), message, 'two braces');
    return null;
  }
  return compileCall(statement, { compilation, names, locate, optional: false });
}

function writer(expression: Expression, setting: Setting): Write {
  const { compilation } = setting;
  return (frame) => {
    const value = expression.evaluate(frame);
    if (value === undefined) return '';
    if (typeof value === 'object' || typeof value === 'function') {
      throw failed(compilation, expression, 'is not a text');
    }
    const escaped = setting.escape(String(value));
    if (escaped === null) throw failed(compilation, expression, 'holds what cannot be written here');
    return escaped;
  };
}

function failed({ file }: Compilation, { label, place }: Expression, what: string): BridgeError {
  const message = `${file}:${place.line}:${place.column}: ${label} ${what}`;
  return new BridgeError('render-failed', message, { details: { file, ...place, path: label } });
}

function compileBlock(block: hbs.AST.BlockStatement, names: Names, setting: Setting): Write {
  const { compilation, locate } = setting;
  const place = locate(block.path.loc.start);
  const name = (block.path as hbs.AST.PathExpression).original;
  const [first, ...others] = block.params;
  if (name !== 'if' && name !== 'unless' && name !== 'each' && name !== 'with') {
    report(compilation, place, `there is no block ${name}`, 'if, unless, each or with');
    return NOTHING;
  }
  if (first === undefined || others.length > 0 || block.hash !== undefined) {
    report(compilation, place, `${name} takes 1 argument`, `{{#${name} message.note}}`);
    return NOTHING;
  }
  if ((block.program.blockParams ?? []).length > 0) {
    report(compilation, place, `what ${name} is about cannot be given a name`, 'this');
  }
  const asks = name === 'if' || name === 'unless';
  const subject = compileExpression(first, { compilation, names, locate, optional: asks });
  if (subject === null) return NOTHING;
  if (asks) return compileIf(name, subject, block, names, setting);
  return compileInside(name, subject, block, names, setting, place);
}

function compileIf(
  name: 'if' | 'unless',
  subject: Expression,
  block: hbs.AST.BlockStatement,
  names: Names,
  setting: Setting,
): Write {
  const known = guardedBy(names, subject.path);
  const positive = name === 'if';
  const body = compileBody(block.program, positive ? known : names, setting);
  const otherwise = compileBody(block.inverse, positive ? names : known, setting);
  return (frame) => (holds(subject.evaluate(frame)) === positive ? body : otherwise)(frame);
}

// As Handlebars says it: false, 0, an empty text, an empty list and nothing do not hold.
function holds(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function compileInside(
  name: 'each' | 'with',
  subject: Expression,
  block: hbs.AST.BlockStatement,
  names: Names,
  setting: Setting,
  place: Place,
): Write {
  const { path } = subject;
  if (path === null) {
    report(
      setting.compilation,
      place,
      `${name} takes a path, or an optional one`,
      `{{#${name} message.slots}}`,
    );
    return NOTHING;
  }
  const isEach = name === 'each';
  const inside = within(insideOf(names, subject), isEach ? [...path, '*'] : path, isEach || names.inList);
  const body = compileBody(block.program, inside, setting);
  const otherwise = compileBody(block.inverse, names, setting);
  return (frame) => {
    const frames = isEach ? items(setting.compilation, subject, frame) : contents(subject, frame);
    return frames.length === 0 ? otherwise(frame) : frames.map(body).join('');
  };
}

/** What is known inside an `each` or `with`: that what it is about is there. */
export function insideOf(names: Names, { path, optional }: Expression): Names {
  return optional === true ? guardedBy(names, path) : names;
}

/** One frame for each item of a list; none for an absent one. */
export function items(compilation: Compilation, subject: Expression, outer: Frame): readonly Frame[] {
  const value = subject.evaluate(outer) ?? [];
  if (!Array.isArray(value)) throw failed(compilation, subject, 'is not a list');
  const { scope } = outer;
  return value.map((item: unknown, index) => ({
    scope,
    value: item,
    outer,
    item: { index, first: index === 0, last: index === value.length - 1 },
  }));
}

function contents(subject: Expression, outer: Frame): readonly Frame[] {
  const value = subject.evaluate(outer);
  return holds(value) ? [{ scope: outer.scope, value, outer, item: null }] : [];
}
