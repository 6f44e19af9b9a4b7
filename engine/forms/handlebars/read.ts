import { BridgeError } from '../../errors.ts';
import type { Place } from '../refusal.ts';
import { type Compilation, type Frame, isGuarded, type Locate, type Names, report } from './compilation.ts';
import { unknownName } from './names.ts';

/** A compiled expression; undefined is the absent value. */
export interface Expression {
  evaluate(frame: Frame): unknown;
  /** Where in the scope the value is read; null for what is not read but made. */
  readonly path: readonly string[] | null;
  /** It may give nothing. */
  readonly optional?: boolean;
  /** For errors: `message.patient.name`, `code "clinic"`. */
  readonly label: string;
  readonly place: Place;
}

type Node = hbs.AST.PathExpression;

const EVERYTHING = { message: 'this is everything at once here', instead: 'message' };

/** Compiles a path: `message.slot.start`, `this`, `../name`, `@index`, `@root.booking.state`. */
export function compileRead(
  compilation: Compilation,
  node: Node,
  names: Names,
  locate: Locate,
  optional: boolean,
): Expression | null {
  const place = locate(node.loc.start);
  if (node.data && node.parts[0] !== 'root') return listPosition(compilation, node, names, place);
  const depth = node.data ? names.contexts.length - 1 : node.depth;
  const parts = node.data ? node.parts.slice(1) : node.parts;
  const context = names.contexts[names.contexts.length - 1 - depth];
  if (context === undefined) {
    report(compilation, place, `${node.original} leads out of the template`);
    return null;
  }
  const path = [...context, ...parts.map((part) => (/^\d+$/.test(part) ? '*' : part))];
  const wrong = path.length === 0 ? EVERYTHING : unknownName(path);
  if (wrong !== null) {
    report(compilation, place, wrong.message, wrong.instead);
    return null;
  }
  const label = path.join('.');
  compilation.reads.push({ path, ...place, optional: optional || isGuarded(names, path) });
  const { file } = compilation;
  return {
    path,
    label,
    place,
    optional,
    evaluate: (frame) => {
      const value = parts.reduce(step, valueAt(frame, depth));
      // null is how JSON says that there is nothing.
      if (value !== undefined && value !== null) return value;
      if (optional) return undefined;
      throw absent(file, place, path);
    },
  };
}

function listPosition(compilation: Compilation, node: Node, names: Names, place: Place): Expression | null {
  const name = node.parts[0];
  if (node.parts.length !== 1 || (name !== 'index' && name !== 'first' && name !== 'last')) {
    report(compilation, place, `there is no ${node.original}`, '@index, @first, @last or @root');
    return null;
  }
  if (!names.inList) {
    report(compilation, place, `${node.original} has a meaning inside each only`);
    return null;
  }
  return { path: null, label: node.original, place, evaluate: (frame) => itemOf(frame)?.[name] };
}

function itemOf(frame: Frame): Frame['item'] {
  let at: Frame | null = frame;
  while (at !== null && at.item === null) at = at.outer;
  return at?.item ?? null;
}

function valueAt(frame: Frame, depth: number): unknown {
  let at: Frame | null = frame;
  for (let i = 0; i < depth; i++) at = at?.outer ?? null;
  return at?.value;
}

// Own properties only: `constructor` and `__proto__` are names like any other. A text has no parts.
function step(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function absent(file: string, place: Place, path: readonly string[]): BridgeError {
  const label = path.join('.');
  const where = `${file}:${place.line}:${place.column}`;
  return path[0] === 'booking'
    ? new BridgeError('fact-missing', `${where} reads ${label}, which nobody has told us`, {
        details: { file, ...place, path: label },
      })
    : new BridgeError('render-failed', `${where} reads ${label}, which is not there`, {
        details: { file, ...place, path: label },
      });
}
