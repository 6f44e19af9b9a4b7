import { type Compilation, reportValue, type Schema } from './compilation.ts';
import type { At } from './positions.ts';
import { onlyNear } from './suggest.ts';

/** A schema, and every name it mentions: what a misspelt one may have meant. */
export interface DescribedSchema {
  readonly file: string;
  readonly schema: Schema;
  readonly names: ReadonlySet<string>;
}

/** What `schema:` of an inbound channel names. */
export interface Schemas {
  /** The types that are taken; null when every type is. */
  readonly types: ReadonlySet<string> | null;
  readonly of: (type: string) => DescribedSchema | null;
}

const ANY: Schemas = { types: null, of: () => null };
const TYPE = '{type}';

/** Compiles the schema at `at`, or one for every file that `{type}` finds. */
export function schemasIn(compilation: Compilation, written: string | undefined, at: At): Schemas {
  if (written === undefined) return ANY;
  const slash = written.lastIndexOf('/');
  const [folder, name] = [written.slice(0, Math.max(slash, 0)), written.slice(slash + 1)];
  if (folder.includes(TYPE)) {
    reportValue(compilation, at, `${TYPE} must stand in the name of the file`);
    return ANY;
  }
  if (!name.includes(TYPE)) {
    const one = schemaAt(compilation, written, at);
    return { types: null, of: () => one };
  }
  return oneForEachType(compilation, folder, name, at);
}

function oneForEachType(compilation: Compilation, folder: string, name: string, at: At): Schemas {
  const [before = '', after = ''] = name.split(TYPE);
  const schemas = new Map<string, DescribedSchema | null>();
  for (const file of compilation.source.list(folder)) {
    const type = file.slice(before.length, file.length - after.length);
    if (!file.startsWith(before) || !file.endsWith(after) || type === '') continue;
    schemas.set(type, schemaAt(compilation, folder === '' ? file : `${folder}/${file}`, at));
  }
  if (schemas.size === 0) {
    reportValue(
      compilation,
      at,
      `no file is named ${folder}/${name}`,
      'Add a schema for every type, or correct the path.',
    );
    return ANY;
  }
  return { types: new Set(schemas.keys()), of: (type) => schemas.get(type) ?? null };
}

function schemaAt(compilation: Compilation, file: string, at: At): DescribedSchema | null {
  const text = readNamed(compilation, file, at);
  if (text === null) return null;
  const compiled = compilation.tools.compileSchema(file, text);
  if (compiled.kind === 'problems') {
    for (const problem of compiled.problems) compilation.problems.add(problem);
    return null;
  }
  return { file, schema: compiled.schema, names: namesIn(JSON.parse(text)) };
}

function namesIn(node: unknown, names = new Set<string>()): ReadonlySet<string> {
  if (typeof node !== 'object' || node === null) return names;
  for (const [key, child] of Object.entries(node)) {
    if (key === 'properties' && typeof child === 'object' && child !== null) {
      for (const name of Object.keys(child)) names.add(name);
    }
    namesIn(child, names);
  }
  return names;
}

/** The text of a file that routes.yaml names at `at`; null, and a problem, when there is none. */
export function readNamed(compilation: Compilation, file: string, at: At): string | null {
  const text = compilation.source.read(file);
  if (text !== null) return text;
  const slash = file.lastIndexOf('/');
  const folder = file.slice(0, Math.max(slash, 0));
  const beside = compilation.source.list(folder).map((name) => (folder === '' ? name : `${folder}/${name}`));
  const instead = onlyNear(file, beside) ?? 'Create it, or correct the path.';
  reportValue(compilation, at, `the file ${file} is not there`, instead);
  return null;
}
