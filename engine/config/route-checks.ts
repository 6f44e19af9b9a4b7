import { type Compilation, reportKey, reportValue } from './compilation.ts';
import { wantedIn } from './condition.ts';
import type { RenderConfig, RouteConfig } from './config.ts';
import type { Origin } from './origin.ts';
import { pathIn } from './paths.ts';
import type { At } from './positions.ts';
import { didYouMean } from './suggest.ts';

/** The templates of a route: one for every type it takes, or one by type. */
export type Templates =
  | { readonly kind: 'one'; readonly config: RenderConfig }
  | { readonly kind: 'by-type'; readonly configs: ReadonlyMap<string, RenderConfig> };

/** `render:` in one shape. */
export function templatesIn(render: RouteConfig['render']): Templates {
  if (typeof render === 'string') return { kind: 'one', config: { template: render } };
  if (render === undefined) return { kind: 'one', config: {} };
  if (typeof render['template'] === 'string') return { kind: 'one', config: render as RenderConfig };
  const configs = Object.entries(render).flatMap(([type, config]): [string, RenderConfig][] => {
    if (config === undefined) return [];
    return [[type, typeof config === 'string' ? { template: config } : config]];
  });
  return { kind: 'by-type', configs: new Map(configs) };
}

/**
 * The types a route takes; null when they are not known. Reports types that its source does not have, and a
 * route that no message can take.
 */
export function typesOf(
  compilation: Compilation,
  config: RouteConfig,
  origin: Origin,
  at: At,
): ReadonlySet<string> | null {
  const given = origin.schemas.types;
  const templates = templatesIn(config.render);
  const listed = templates.kind === 'one' ? null : [...templates.configs.keys()];
  const wanted = wantedIn(compilation, config.when ?? {}, [...at, 'when', 'type']);
  const places = [
    ...(listed ?? []).map((text) => ({ text, at: [...at, 'render', text], report: reportKey })),
    ...wanted.map((value) => ({ ...value, report: reportValue })),
  ];
  const unknown = places.filter(({ text }) => given !== null && !given.has(text));
  for (const { text, at: here, report } of unknown) {
    report(compilation, here, `${origin.name} has no type ${text}`, didYouMean(text, given ?? []));
  }
  const asked = config.when?.['type'] === undefined ? null : wanted.map(({ text }) => text);
  const known = [given === null ? null : [...given], listed, asked].filter((types) => types !== null);
  const [first, ...others] = known;
  if (first === undefined) return null;
  const types = first.filter((type) => others.every((other) => other.includes(type)));
  if (types.length === 0 && unknown.length === 0) {
    const message = `no message can take ${at.join('.')}: its source, when and render have no type in common`;
    reportKey(compilation, at, message, 'Let when.type and render name the same types.');
  }
  return new Set(types);
}

/** Reports hospitals in `when` that are no system, or that the source never is about. */
export function checkHospitals(
  compilation: Compilation,
  { when = {} }: RouteConfig,
  origin: Origin,
  at: At,
): void {
  const here = [...at, 'when', 'hospital'];
  for (const { text, at: place } of wantedIn(compilation, when, here)) {
    if (!compilation.systems.has(text)) {
      reportValue(
        compilation,
        place,
        `${text} is not a system`,
        didYouMean(text, compilation.systems.keys()),
      );
    } else if (origin.hospital !== null && origin.hospital !== text) {
      const message = `every message of ${origin.name} is about ${origin.hospital}, so ${at.join('.')} takes none`;
      const instead = `Write ${origin.hospital}, or add hospital: to the read of the channel.`;
      reportValue(compilation, place, message, instead);
    }
  }
}

/**
 * Reports a route whose deliveries change bookings and could overtake each other, and a lane for what is made here:
 * that follows from a decision under the locks of its booking, which cover no other lane.
 */
export function checkLane(
  compilation: Compilation,
  { lane }: RouteConfig,
  origin: Origin,
  { types, at }: { readonly types: ReadonlySet<string> | null; readonly at: At },
): void {
  if (lane !== undefined && origin.isBuiltIn) {
    const message = `what ${origin.name} says is ordered by its booking, and by nothing else`;
    reportKey(compilation, [...at, 'lane'], message, 'Leave lane: out.');
  }
  const changing = [...(types ?? [])].find((type) => type.startsWith('booking.'));
  if (origin.ordered || lane !== undefined || changing === undefined) return;
  const message = `${at.join('.')} carries ${changing} without a lane: two changes of a booking could overtake each other`;
  reportKey(compilation, at, message, `Add booking: to channels.${origin.name}.read, or lane: to the route.`);
}

/** Reports paths of the channel `to` into answers that are not in the language of the form the route reads them in. */
export function checkAnswerPaths(compilation: Compilation, { to = '', answer }: RouteConfig): void {
  const channel = compilation.config.channels[to];
  for (const key of ['code', 'echo']) {
    const path = channel?.[key];
    if (typeof path === 'string') pathIn(compilation, answer?.as, path, ['channels', to, key]);
  }
}
