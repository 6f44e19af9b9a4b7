import { BridgeError } from '../../errors.ts';
import type { Place } from '../refusal.ts';
import { type Compilation, type Locate, type Names, report } from './compilation.ts';
import { nearest } from './names.ts';
import { compileRead, type Expression } from './read.ts';

/** Where an expression stands. */
export interface Setting {
  readonly compilation: Compilation;
  readonly names: Names;
  readonly locate: Locate;
  /** What it reads may be absent. */
  readonly optional: boolean;
}

interface Call {
  readonly place: Place;
  readonly arguments: readonly hbs.AST.Expression[];
  readonly setting: Setting;
}

type Helper = (call: Call) => Expression | null;

/** What can be called in an expression. Blocks (`if`, `each`) are in `blocks.ts`. */
const HELPERS: Readonly<
  Record<string, { readonly usage: string; readonly count: number; readonly compile: Helper }>
> = {
  optional: { usage: '{{optional message.note}}', count: 1, compile: optionalHelper },
  default: { usage: '{{default message.note "none"}}', count: 2, compile: defaultHelper },
  code: { usage: '{{code "clinic" message.clinic}}', count: 2, compile: codeHelper },
  eq: { usage: '(eq message.kind "urgent")', count: 2, compile: eqHelper },
};

/** Compiles what stands between `{{` and `}}`, or an argument; null when it cannot be, which is then reported. */
export function compileExpression(node: hbs.AST.Expression, setting: Setting): Expression | null {
  const { compilation, names, locate, optional } = setting;
  switch (node.type) {
    case 'PathExpression':
      return compileRead(compilation, node as hbs.AST.PathExpression, names, locate, optional);
    case 'SubExpression':
      return compileCall(node as hbs.AST.SubExpression, setting);
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
      return literal((node as hbs.AST.StringLiteral).value, locate(node.loc.start));
    default:
      report(compilation, locate(node.loc.start), 'null and undefined cannot be written', '{{optional …}}');
      return null;
  }
}

/** Compiles `{{path}}` or `{{helper argument …}}`. */
export function compileCall(
  node: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
  setting: Setting,
): Expression | null {
  const { compilation, locate } = setting;
  const called = node.path as hbs.AST.PathExpression;
  const name =
    called.type === 'PathExpression' && called.depth === 0 && !called.data ? called.original : null;
  const helper = name !== null && Object.hasOwn(HELPERS, name) ? HELPERS[name] : undefined;
  const isCall = node.params.length > 0 || node.hash !== undefined || node.type === 'SubExpression';
  if (helper === undefined && !isCall) return compileExpression(called, setting);
  const place = locate(node.path.loc.start);
  if (helper === undefined) {
    const known = Object.keys(HELPERS);
    const instead = nearest(name ?? '', known) ?? known.join(', ');
    report(compilation, place, `there is no helper ${name ?? 'of that kind'}`, instead);
    return null;
  }
  if (node.params.length !== helper.count || node.hash !== undefined) {
    report(compilation, place, `${name} takes ${helper.count} argument(s)`, helper.usage);
    return null;
  }
  return helper.compile({ place, arguments: node.params, setting });
}

function literal(value: unknown, place: Place): Expression {
  return { path: null, label: 'a literal', place, evaluate: () => value };
}

function argument(call: Call, index: number, optional: boolean): Expression | null {
  const node = call.arguments[index];
  return node === undefined ? null : compileExpression(node, { ...call.setting, optional });
}

function optionalHelper(call: Call): Expression | null {
  return argument(call, 0, true);
}

function defaultHelper(call: Call): Expression | null {
  const value = argument(call, 0, true);
  const otherwise = argument(call, 1, call.setting.optional);
  if (value === null || otherwise === null) return null;
  const evaluate: Expression['evaluate'] = (frame) => value.evaluate(frame) ?? otherwise.evaluate(frame);
  return { path: null, label: value.label, place: call.place, evaluate };
}

function eqHelper(call: Call): Expression | null {
  const [left, right] = [argument(call, 0, call.setting.optional), argument(call, 1, call.setting.optional)];
  if (left === null || right === null) return null;
  const evaluate: Expression['evaluate'] = (frame) => left.evaluate(frame) === right.evaluate(frame);
  return { path: null, label: `eq ${left.label}`, place: call.place, evaluate };
}

function codeHelper(call: Call): Expression | null {
  const { compilation } = call.setting;
  const named = call.arguments[0];
  const value = argument(call, 1, call.setting.optional);
  const name = named?.type === 'StringLiteral' ? (named as hbs.AST.StringLiteral).value : null;
  if (name === null) {
    report(
      compilation,
      call.place,
      'the first argument of code is the name of a code map, in quotes',
      HELPERS['code']?.usage,
    );
    return null;
  }
  const map = compilation.codes.get(name);
  if (map === undefined) {
    const known = [...compilation.codes.keys()];
    const instead = nearest(name, known) ?? (known.join(', ') || `a file ${name}.yaml in the system's codes`);
    report(compilation, call.place, `there is no code map ${name}`, instead);
    return null;
  }
  if (value === null) return null;
  const { file } = compilation;
  return {
    path: null,
    label: `code "${name}" ${value.label}`,
    place: call.place,
    evaluate: (frame) => {
      const ours = value.evaluate(frame);
      if (ours === undefined) return undefined;
      const theirs = map.get(String(ours));
      if (theirs !== undefined) return theirs;
      const entry = entryName(ours);
      const { line, column } = call.place;
      throw new BridgeError(
        'code-missing',
        `${file}:${line}:${column}: code map ${name} has no entry ${entry}`,
        {
          details: { file, line, column, map: name, entry },
        },
      );
    },
  };
}

/** A code as errors name it: it is no patient's data, and without it nobody could add the entry to the map. */
function entryName(value: unknown): string {
  const text = String(value);
  return /^[\w .:-]{1,64}$/.test(text) ? text : 'for a value that does not look like a code';
}
