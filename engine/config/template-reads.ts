import type { LearntName } from '../booking.ts';
import { nearest } from '../forms/handlebars/names.ts';
import type { Template, TemplateRead } from '../forms/template.ts';
import type { Compilation } from './compilation.ts';
import type { Config } from './config.ts';
import type { Origin } from './origin.ts';
import type { Position } from './problems.ts';
import type { DescribedSchema } from './schemas.ts';

/** Messages that a template renders: where they come from, and of which types; null when those are not known. */
export interface Rendering {
  readonly origin: Origin;
  readonly types: ReadonlySet<string> | null;
}

/** A template in use: for which messages, towards which system, and where in the file each of its reads stands. */
export interface Use {
  readonly template: Template;
  readonly renders: readonly Rendering[];
  readonly system: string;
  readonly file: string;
  readonly placeOf: (read: TemplateRead) => Position;
}

/** Reports what a template reads and never gets: what no schema of its types gives, and a time zone nobody set. */
export function checkReads(compilation: Compilation, use: Use): void {
  const schemas = use.renders.flatMap(({ origin, types }) =>
    [...(types ?? [])].map((type) => origin.schemas.of(type)),
  );
  for (const read of use.template.reads) {
    const [root = '', ...path] = read.path;
    if (root !== 'message') checkFact(compilation, use, read);
    else if (path.length > 0) checkMessage(compilation, use, read, schemas);
  }
}

function checkMessage(
  compilation: Compilation,
  use: Use,
  read: TemplateRead,
  schemas: readonly (DescribedSchema | null)[],
): void {
  const [, ...path] = read.path;
  const name = read.path.join('.');
  const presences = schemas.map((described) => described?.schema.describes(path) ?? 'sometimes');
  // What may be absent is useful as soon as one of several types has it.
  const served = read.optional && presences.some((presence) => presence !== 'never');
  schemas.forEach((described, index) => {
    if (described === null) return;
    const { file } = described;
    if (presences[index] === 'never' && !served) {
      const message = `the template reads ${name}, which ${file} never gives`;
      say(compilation, use, read, { message, instead: nearName(described, path), severity: 'error' });
    } else if (presences[index] === 'sometimes' && !read.optional) {
      const message = `the template reads ${name}, which ${file} does not always give`;
      const instead = `Write (optional ${name}), or require it in the schema.`;
      say(compilation, use, read, { message, instead, severity: 'warning' });
    }
  });
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

/** The names of the scope are checked by the template itself; whether anything can be there is known here. */
function checkFact(compilation: Compilation, use: Use, read: TemplateRead): void {
  if (read.optional) return;
  const { system } = use;
  const name = read.path.join('.');
  if (name === 'system.timeZone' && compilation.systems.get(system)?.timeZone === null) {
    const message = `the template reads ${name}, which ${system} does not have`;
    say(compilation, use, read, {
      message,
      instead: `Add timeZone to systems.${system}.`,
      severity: 'error',
    });
  }
  if (name === 'booking.hospitalRef' && !isLearnt(compilation.config, 'hospitalRef')) {
    const message = `the template reads ${name}, which nothing learns`;
    const instead = 'Add hospitalRef to a learn: of the answer that says it.';
    say(compilation, use, read, { message, instead, severity: 'error' });
  }
}

function isLearnt({ channels, routes }: Config, name: LearntName): boolean {
  const learns = [
    ...Object.values(channels).map((channel) => channel?.read?.learn),
    ...Object.values(routes).flatMap((route) => [
      route?.answer?.learn,
      ...(route?.answer?.becomes ?? []).map((entry) => entry?.learn),
    ]),
  ];
  return learns.some((learn) => learn?.[name] !== undefined);
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
