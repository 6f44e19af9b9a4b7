import { nearest } from '../forms/handlebars/names.ts';
import type { Template, TemplateRead } from '../forms/template.ts';
import type { Compilation } from './compilation.ts';
import type { Origin } from './origin.ts';
import type { Position } from './problems.ts';
import type { DescribedSchema } from './schemas.ts';

/** A template in use: by which messages, towards which system, and where in the file each of its reads stands. */
export interface Use {
  readonly template: Template;
  readonly origin: Origin;
  /** The types it renders; null when they are not known. */
  readonly types: ReadonlySet<string> | null;
  readonly system: string;
  readonly file: string;
  readonly placeOf: (read: TemplateRead) => Position;
}

/** Reports what a template reads and never gets: what no schema of its types gives, and what no scope has. */
export function checkReads(compilation: Compilation, use: Use): void {
  for (const read of use.template.reads) {
    const [root = '', ...path] = read.path;
    if (root === 'message') {
      for (const type of use.types ?? []) checkMessage(compilation, use, read, { type, path });
    } else {
      checkTimeZone(compilation, use, read);
    }
  }
}

function checkMessage(
  compilation: Compilation,
  use: Use,
  read: TemplateRead,
  { type, path }: { readonly type: string; readonly path: readonly string[] },
): void {
  const described = use.origin.schemas.of(type);
  if (described === null || path.length === 0) return;
  const presence = described.schema.describes(path);
  const name = read.path.join('.');
  if (presence === 'never') {
    const message = `the template reads ${name}, which ${described.file} never gives`;
    say(compilation, use, read, { message, instead: nearName(described, path), severity: 'error' });
  } else if (presence === 'sometimes' && !read.optional) {
    const message = `the template reads ${name}, which ${described.file} does not always give`;
    const instead = `Write (optional ${name}), or require it in the schema.`;
    say(compilation, use, read, { message, instead, severity: 'warning' });
  }
}

/** The name that was likely meant: first at the part where the path leaves the schema. */
function nearName({ schema, names }: DescribedSchema, path: readonly string[]): string | undefined {
  const end = path.findIndex((_part, index) => schema.describes(path.slice(0, index + 1)) === 'never');
  const before = path.slice(0, end);
  const given = [...names].filter((name) => schema.describes([...before, name]) !== 'never');
  const near = nearest(path[end] ?? '', given);
  const dotted = (name: string) => ['message', ...before, name].join('.');
  if (near !== null) return `Did you mean ${dotted(near)}?`;
  return given.length === 0 ? undefined : `There it has ${given.join(', ')}.`;
}

/** Every other name of the scope is checked by the template itself; only whether there is a time zone is known here. */
function checkTimeZone(compilation: Compilation, use: Use, read: TemplateRead): void {
  const { system } = use;
  if (read.path.join('.') !== 'system.timeZone' || read.optional) return;
  if (compilation.systems.get(system)?.timeZone !== null) return;
  const message = `the template reads system.timeZone, which ${system} does not have`;
  say(compilation, use, read, { message, instead: `Add timeZone to systems.${system}.`, severity: 'error' });
}

interface Said {
  readonly message: string;
  readonly instead: string | undefined;
  readonly severity: 'error' | 'warning';
}

function say(
  { problems }: Compilation,
  use: Use,
  read: TemplateRead,
  { message, instead, severity }: Said,
): void {
  const place = use.placeOf(read);
  problems.add({
    file: use.file,
    ...place,
    message,
    severity,
    ...(instead === undefined ? {} : { instead }),
  });
}
