import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import type { Position, Problems } from './problems.ts';

/** Keys and indices from the root of a YAML file. */
export type At = readonly (string | number)[];

/** A YAML file that knows where each of its values stands. */
export interface YamlFile {
  readonly file: string;
  /** The values as JavaScript; undefined when the file cannot be read as YAML. */
  readonly value: unknown;
  /** Where the value at a path begins; the nearest that exists when it does not. */
  valueAt(path: At): Position;
  /** Where the key that leads to a path begins; for an item of a list, the item. */
  keyAt(path: At): Position;
  /** A scalar as it is written, so that `0123` and `1.10` keep every character; null for anything else. */
  textAt(path: At): string | null;
  /** Whether something is written at a path. */
  has(path: At): boolean;
  /** Whether the text at a path stands in quotes. */
  isQuoted(path: At): boolean;
  /** The key that leads to a path as it is written. */
  keyTextAt(path: At): string;
}

/** Reads YAML. Syntax errors and duplicate keys go to `problems`. */
export function parseYaml(file: string, text: string, problems: Problems): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, message: string, instead?: string) => {
    const also = instead === undefined ? {} : { instead };
    problems.add({ file, ...positionOf(offset), message, severity: 'error', ...also });
  };
  const broken = reportSyntax(document, text, report);
  return {
    file,
    value: broken ? undefined : valuesOf(document, file, problems),
    valueAt: (path) => positionOf(startOf(walk(document, path).value)),
    keyAt: (path) => {
      const { key, value } = walk(document, path);
      return positionOf(startOf(key ?? value));
    },
    textAt: (path) => {
      const { value, reached } = walk(document, path);
      const node = isAlias(value) ? value.resolve(document) : value;
      return reached && isScalar(node) ? (node.source ?? String(node.value)) : null;
    },
    has: (path) => walk(document, path).reached,
    isQuoted: (path) => {
      const { value } = walk(document, path);
      return isScalar(value) && (value.type === 'QUOTE_SINGLE' || value.type === 'QUOTE_DOUBLE');
    },
    keyTextAt: (path) => {
      const { key } = walk(document, path);
      return isScalar(key) ? (key.source ?? String(key.value)) : String(path.at(-1) ?? '');
    },
  };
}

type ReportAt = (offset: number, message: string, instead?: string) => void;

/** Reports what is no YAML, or YAML nobody means; returns whether there was any. */
function reportSyntax(document: Document, text: string, report: ReportAt): boolean {
  let broken = false;
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    broken = true;
    if (code === 'DUPLICATE_KEY') report(pos[0], duplicateKey(text, pos[0]), 'Give it a name of its own.');
    else report(pos[0], firstLine(message));
  }
  visit(document, {
    Pair: (_index, { key }) => {
      if (isScalar(key)) return;
      broken = true;
      report(
        startOf(key as Node | null),
        'a key must be a text',
        "Put quotes around an expression: '{{message.id}}'.",
      );
    },
  });
  return broken;
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/[.:]$/, '');
}

function duplicateKey(text: string, offset: number): string {
  const name = /^[^\s:]+/.exec(text.slice(offset))?.[0] ?? 'a key';
  return `${name} is there twice`;
}

function valuesOf(document: Document, file: string, problems: Problems): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    const message = thrown instanceof Error ? firstLine(thrown.message) : 'it cannot be read';
    problems.add({ file, line: 1, column: 1, message, severity: 'error' });
    return undefined;
  }
}

interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
  readonly reached: boolean;
}

function walk(document: Document, path: At): Found {
  let found: Found = { key: null, value: document.contents as Node | null, reached: true };
  for (const step of path) {
    const next = child(document, found.value, step);
    if (next === null) return { ...found, reached: false };
    found = next;
  }
  return found;
}

function child(document: Document, parent: Node | null, step: string | number): Found | null {
  const node = isAlias(parent) ? (parent.resolve(document) ?? null) : parent;
  if (isSeq(node)) {
    const value = node.items[Number(step)] as Node | undefined;
    return value === undefined ? null : { key: null, value, reached: true };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) as
    | Pair<Node, Node | null>
    | undefined;
  return pair === undefined ? null : { key: pair.key, value: pair.value ?? pair.key, reached: true };
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
