import { createHash } from 'node:crypto';
import type { ChannelKind } from '../channel.ts';
import { codecs, compileTemplate } from '../forms/index.ts';
import type { ChannelName, RouteName } from '../message.ts';
import type { Compiled, InboundPlan, OutboundPlan, Plan } from '../plan.ts';
import type { Route } from '../route.ts';
import { compileSchema } from '../stages/validate.ts';
import type { Compilation } from './compilation.ts';
import type { Config, Named } from './config.ts';
import { compileInbound } from './inbound.ts';
import { builtInOrigins, type Origin } from './origin.ts';
import { compileOutbound } from './outbound.ts';
import { parseYaml, type YamlFile } from './positions.ts';
import { type Problems, problemList } from './problems.ts';
import { checkReferences, directionOf, warnRouteless, warnUnused } from './references.ts';
import type { Target } from './rendering.ts';
import { type CompiledRoute, compileRoute } from './routes.ts';
import { withSecrets } from './secrets.ts';
import { checkShape } from './shape.ts';
import type { Source } from './source.ts';
import { compileSystems, refusePasswords } from './systems.ts';

/** The file a configuration begins with. */
export const ROUTES_FILE = 'routes.yaml';

/** What a plan is made of. */
export interface CompileInput extends Source {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly kinds: readonly ChannelKind[];
}

/**
 * Compiles routes.yaml and everything it names into a plan, or into every problem there is. Reads files and
 * nothing else; a secret is in the options of the plan's channels and in no problem, file or hash.
 */
export function compile({ read, list, env, kinds }: CompileInput): Compiled {
  const problems = problemList();
  const files = new Map<string, string>();
  const recording: Source = {
    list,
    read: (path) => {
      const text = read(path);
      if (text !== null) files.set(path, text);
      return text;
    },
  };
  const text = recording.read(ROUTES_FILE);
  if (text === null) {
    const message = `${ROUTES_FILE} is not there`;
    return {
      kind: 'problems',
      problems: [{ file: ROUTES_FILE, line: 1, column: 1, message, severity: 'error' }],
    };
  }
  const yaml = parseYaml(ROUTES_FILE, text, problems);
  const config = configOf(yaml, { kinds, env, read }, problems);
  if (config === null) return { kind: 'problems', problems: problems.sorted() };
  const compilation: Compilation = {
    yaml,
    config,
    source: recording,
    kinds: new Map(kinds.map((kind) => [kind.kind, kind])),
    systems: compileSystems(config),
    tools: { codecs, compileTemplate, compileSchema },
    problems,
  };
  const plan = planOf(compilation, files);
  return problems.fatal()
    ? { kind: 'problems', problems: problems.sorted() }
    : { kind: 'plan', plan, warnings: problems.sorted() };
}

/** What can be used of routes.yaml: secrets in place, and without what has a wrong shape. Null when it is no YAML. */
function configOf(
  yaml: YamlFile,
  { kinds, env, read }: Pick<CompileInput, 'kinds' | 'env' | 'read'>,
  problems: Problems,
): Config | null {
  if (yaml.value === undefined) return null;
  refusePasswords(yaml.value, yaml, problems);
  const value = withSecrets(yaml.value, { env, read }, yaml, problems, []);
  checkShape(value, kinds, yaml, problems);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  // The schema has just said that these, where they are there, are mappings.
  const { systems = {}, channels = {}, routes = {} } = value as Partial<Config>;
  return { systems: named(systems), channels: named(channels), routes: named(routes) };
}

/** Without a prototype, so that a reference to `constructor` finds nothing. */
function named<Entry>(entries: Named<Entry>): Named<Entry> {
  return Object.assign(Object.create(null) as Named<Entry>, entries);
}

function planOf(compilation: Compilation, files: ReadonlyMap<string, string>): Plan {
  const { config } = compilation;
  checkReferences(compilation);
  const incoming = compileChannels(compilation, 'inbound', (name) => compileInbound(compilation, name));
  const origins = new Map<string, Origin>(builtInOrigins(codecs.json).map((one) => [one.name, one]));
  for (const [name, { origin }] of incoming) origins.set(name, origin);
  const compiled = compileRoutes(compilation, origins);
  const outbound = compileChannels(compilation, 'outbound', (name): OutboundPlan | null => {
    const channel = config.channels[name] ?? {};
    const kind = compilation.kinds.get(channel.kind ?? '')?.outbound;
    return kind === undefined
      ? null
      : compileOutbound(compilation, name, channel, {
          outbound: kind,
          renders: rendersOf(name, compiled, origins),
        });
  });
  // With errors about, much looks unused that only waits for a name to be corrected.
  if (!compilation.problems.fatal()) {
    warnUnused(compilation);
    warnRouteless(compilation, origins.values(), [...compiled.values()]);
  }
  const routes = [...compiled.values()].map(({ route }) => route);
  const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    hash: hashOf(sorted),
    files: sorted,
    systems: compileSystems(config),
    inbound: new Map([...incoming].map(([name, { plan }]): [ChannelName, InboundPlan] => [name, plan])),
    outbound,
    routes: new Map(routes.map((route): [RouteName, Route] => [route.name, route])),
    routesFrom: (channel) => routes.filter(({ from }) => from === channel),
  };
}

function compileChannels<Channel>(
  compilation: Compilation,
  direction: 'inbound' | 'outbound',
  compileOne: (name: string) => Channel | null,
): ReadonlyMap<ChannelName, Channel> {
  const compiled = new Map<ChannelName, Channel>();
  for (const [name, config] of Object.entries(compilation.config.channels)) {
    if (config === undefined || directionOf(compilation, config) !== direction) continue;
    const channel = compileOne(name);
    if (channel !== null) compiled.set(name as ChannelName, channel);
  }
  return compiled;
}

function compileRoutes(
  compilation: Compilation,
  origins: ReadonlyMap<string, Origin>,
): ReadonlyMap<string, CompiledRoute> {
  const { config } = compilation;
  const compiled = new Map<string, CompiledRoute>();
  for (const [name, route] of Object.entries(config.routes)) {
    const origin = origins.get(route?.from ?? '');
    if (route === undefined || origin === undefined) continue;
    const channel = config.channels[route.to ?? ''];
    const target = { channel: route.to ?? '', kind: channel?.kind ?? '', system: channel?.system ?? '' };
    compiled.set(name, compileRoute(compilation, name, route, { origin, target }));
  }
  return compiled;
}

/** The messages that reach an outbound channel. */
function rendersOf(
  channel: string,
  routes: ReadonlyMap<string, CompiledRoute>,
  origins: ReadonlyMap<string, Origin>,
): Target['renders'] {
  return [...routes.values()].flatMap(({ route, types }) => {
    const origin = origins.get(route.from);
    return route.to !== channel || origin === undefined ? [] : [{ origin, types }];
  });
}

function hashOf(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  // Lengths keep two files from being read as one.
  for (const [path, text] of files) hash.update(`${path.length}:${path}${text.length}:${text}`);
  return hash.digest('hex');
}
