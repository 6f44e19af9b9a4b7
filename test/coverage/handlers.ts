import { relative } from 'node:path';
import type { CallExpression, Expression, Node, SourceFile } from 'typescript/unstable/ast';
import {
  isArrowFunction,
  isCallExpression,
  isCatchClause,
  isFunctionExpression,
  isPropertyAccessExpression,
} from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';

/** What runs only when something failed: a `catch` block, or the handler of a rejection. */
export interface Handler {
  /** `engine/gate.ts:140`. */
  readonly place: string;
  /** The file, as V8 names it. */
  readonly path: string;
  /** A position that is executed when, and only when, the handler is: in UTF-16 code units, as V8 counts. */
  readonly at: number;
  readonly kind: Kind;
}

/** A `named` one was written elsewhere: who runs it, a promise or a caller, cannot be told. */
export type Kind = 'catch' | 'rejection' | 'named';

/** Every handler in these files, in their order. `root` is what places are relative to. */
export function handlersIn(files: readonly string[], root: string): readonly Handler[] {
  const parser = new API({ cwd: root });
  try {
    const snapshot = parser.updateSnapshot({ openFiles: [...files] });
    return files.flatMap((file) => {
      const source = snapshot.getDefaultProjectForFile(file)?.program.getSourceFile(file);
      if (source === undefined) throw new Error(`${file} cannot be parsed`);
      return handlersOf(source, relative(root, file));
    });
  } finally {
    parser.close();
  }
}

function handlersOf(source: SourceFile, name: string): readonly Handler[] {
  const found: Handler[] = [];
  const add = (node: Node, at: number, kind: Kind) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push({ place: `${name}:${line}`, path: source.fileName, at, kind });
  };
  const visit = (node: Node): void => {
    // Behind the brace: the block itself begins there.
    if (isCatchClause(node)) add(node, node.block.getStart(source) + 1, 'catch');
    const handler = isCallExpression(node) ? handlerOf(node) : undefined;
    if (handler !== undefined) {
      const written = isArrowFunction(handler) || isFunctionExpression(handler);
      // Before the body, which may be a function itself, with a count of its own.
      if (written) add(handler, handler.body.getStart(source) - 1, 'rejection');
      else add(handler, handler.getStart(source), 'named');
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

/** What a call hands over for the case that a promise rejects: the argument of `catch`, the second one of `then`. */
function handlerOf({ expression, arguments: args }: CallExpression): Expression | undefined {
  if (!isPropertyAccessExpression(expression)) return undefined;
  switch (expression.name.text) {
    case 'catch':
      return args[0];
    case 'then':
      return args[1];
    default:
      return undefined;
  }
}
