import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import {
  type Compilation,
  type Frame,
  type Locate,
  type Names,
  OUTERMOST,
  outermost,
  report,
  within,
} from './handlebars/compilation.ts';
import { compileProgram, insideOf, items } from './handlebars/program.ts';
import { json } from './json/json.ts';
import { readAgain } from './output.ts';
import type { Place } from './refusal.ts';
import type { CodeMaps, CompiledTemplate } from './template.ts';

/** Makes one value of the output; undefined where an optional value is absent, which removes it. */
type Build = (frame: Frame) => unknown;

interface Source {
  readonly compilation: Compilation;
  readonly text: string;
  readonly place: (offset: number) => Place;
}

const NOTHING: Build = () => undefined;

/**
 * Compiles a template that is a YAML tree: its texts may hold expressions, everything else stays as it is. A text
 * that is one expression and nothing else becomes that value, list or object; where it is absent and optional,
 * the key goes. `{ $each: '{{message.slots}}', $do: … }` becomes a list.
 */
export function compileStructured(file: string, text: string, codes: CodeMaps): CompiledTemplate {
  const compilation: Compilation = { file, codes, reads: [], problems: [] };
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, resolveKnownTags: false });
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    report(compilation, place(pos[0]), message);
  }
  // A tree with syntax errors is not the tree that was meant: its other problems would mislead.
  const build =
    compilation.problems.length > 0
      ? NOTHING
      : compileNode(document.contents, OUTERMOST, { compilation, text, place });
  const { problems, reads } = compilation;
  if (problems.length > 0) return { kind: 'problems', problems };
  return {
    kind: 'template',
    template: {
      file,
      reads,
      render: (scope) => readAgain(file, json, JSON.stringify(build(outermost(scope)) ?? null)),
    },
  };
}

function compileNode(node: unknown, names: Names, source: Source): Build {
  if (node === null) return () => null;
  if (isMap(node)) return compileMap(node, names, source);
  if (isSeq(node)) {
    const parts = node.items.map((item) => compileNode(item, names, source));
    return (frame) => parts.map((part) => part(frame)).filter((value) => value !== undefined);
  }
  if (isScalar(node)) return compileScalar(node, names, source);
  const alias = isAlias(node);
  report(
    source.compilation,
    placeOfNode(node, source),
    alias ? 'an alias (*) is not followed' : 'not understood',
  );
  return NOTHING;
}

function compileMap(map: YAMLMap, names: Names, source: Source): Build {
  if (map.has('$each') || map.has('$do')) return compileEach(map, names, source);
  const members: (readonly [string, Build])[] = [];
  for (const { key, value } of map.items as readonly Pair[]) {
    const name = isScalar(key) ? key.value : null;
    if (typeof name !== 'string' || name.includes('{{')) {
      // `{{` without quotes opens a map within a map.
      const message = isMap(key) ? 'an expression stands here without quotes' : 'a key must be a text';
      report(source.compilation, placeOfNode(key, source), message, "quotes around it: '{{message.note}}'");
      continue;
    }
    members.push([name, compileNode(value, names, source)]);
  }
  return (frame) => {
    // Without a prototype, so that `__proto__` is a key like any other.
    const made: Record<string, unknown> = Object.create(null);
    for (const [name, build] of members) {
      const value = build(frame);
      if (value !== undefined) made[name] = value;
    }
    return made;
  };
}

function compileEach(map: YAMLMap, names: Names, source: Source): Build {
  const { compilation } = source;
  const [list, item] = [map.get('$each', true), map.get('$do', true)] as const;
  const usage = "{ $each: '{{message.slots}}', $do: { start: '{{this.start}}' } }";
  if (map.items.length !== 2 || item === undefined || !isScalar(list) || typeof list.value !== 'string') {
    report(compilation, placeOfNode(map, source), '$each and $do stand together and alone', usage);
    return NOTHING;
  }
  const { only } = compileProgram(list.value, names, {
    compilation,
    escape: (value) => value,
    locate: locateIn(list as Scalar<string>, source),
  });
  if (only === null || only.path === null) {
    report(compilation, placeOfNode(list, source), '$each takes one path, or an optional one', usage);
    return NOTHING;
  }
  const build = compileNode(item, within(insideOf(names, only), [...only.path, '*'], true), source);
  return (frame) =>
    items(compilation, only, frame)
      .map(build)
      .filter((value) => value !== undefined);
}

function compileScalar(scalar: Scalar, names: Names, source: Source): Build {
  const { value } = scalar;
  if (typeof value === 'string') return compileLeaf(scalar as Scalar<string>, names, source);
  // `0012` and `1e400` are numbers to YAML, and come out as others.
  if (typeof value === 'number' && String(value) !== scalar.source) {
    const instead = `quotes around it: '${scalar.source}'`;
    report(
      source.compilation,
      placeOfNode(scalar, source),
      'a number that would come out written differently',
      instead,
    );
    return NOTHING;
  }
  return () => value;
}

function compileLeaf(scalar: Scalar<string>, names: Names, source: Source): Build {
  const { compilation } = source;
  const { write, only, literal } = compileProgram(scalar.value, names, {
    compilation,
    escape: (value) => value,
    locate: locateIn(scalar, source),
  });
  if (literal !== null) return () => literal;
  return only === null ? write : (frame) => only.evaluate(frame);
}

function placeOfNode(node: unknown, { place }: Source): Place {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range;
  return place(range?.[0] ?? 0);
}

/**
 * Finds a position of the text in the file it was written in, where quoting and folding may have moved it: the
 * nth `{{` of the one is the nth `{{` of the other.
 */
function locateIn(scalar: Scalar<string>, { text, place }: Source): Locate {
  return ({ line, column }) => {
    const lineStart =
      scalar.value
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    const upTo = scalar.value.slice(0, lineStart + column + 2).split('{{');
    const start = scalar.range?.[0] ?? 0;
    let offset = start;
    for (let i = 1; i < upTo.length; i++) offset = text.indexOf('{{', offset + (i > 1 ? 2 : 0));
    if (upTo.length === 1 || offset < 0) return place(start);
    return place(offset + (upTo.at(-1) ?? '').length);
  };
}
