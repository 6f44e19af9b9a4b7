import { BridgeError } from '../errors.ts';
import type { ChannelName, RouteName } from '../message.ts';
import type { Route } from '../route.ts';
import { compileAnswer } from './answer.ts';
import type { Compilation } from './compilation.ts';
import { conditionIn } from './condition.ts';
import type { RouteConfig } from './config.ts';
import type { Origin } from './origin.ts';
import { asText, pathIn } from './paths.ts';
import type { At } from './positions.ts';
import { compileRendering, type Renderer, type Target } from './rendering.ts';
import { compileRetry } from './retry.ts';
import { checkAnswerPaths, checkHospitals, checkLane, templatesIn, typesOf } from './route-checks.ts';

/** A route, and which types it takes; null when they are not known. */
export interface CompiledRoute {
  readonly route: Route;
  readonly types: ReadonlySet<string> | null;
}

/** Compiles the route `name`. What cannot be compiled is reported, and does nothing in the result. */
export function compileRoute(
  compilation: Compilation,
  name: string,
  config: RouteConfig,
  { origin, target }: { readonly origin: Origin; readonly target: Omit<Target, 'renders'> },
): CompiledRoute {
  const at: At = ['routes', name];
  const { form } = origin;
  const types = typesOf(compilation, config, origin, at);
  checkHospitals(compilation, config, origin, at);
  checkLane(compilation, config, origin, { types, at });
  checkAnswerPaths(compilation, config);
  const words = { at: [...at, 'when'], words: ['hospital', 'type'] };
  const when = conditionIn(compilation, form, config.when ?? {}, words);
  const rendererOf = compileRenderings(compilation, config, { origin, target, types, at });
  const lane = config.lane === undefined ? null : pathIn(compilation, form, config.lane, [...at, 'lane']);
  const { retry = {}, answer } = config;
  const deadline = pathIn(compilation, form, retry.notAfter, [...at, 'retry', 'notAfter']);
  const route: Route = {
    name: name as RouteName,
    from: origin.name,
    matches: (message) => {
      const { hospital, type } = message;
      return rendererOf(type) !== null && when(origin.bodyOf(message), { hospital, type });
    },
    orderingKey: (message, booking) =>
      lane === null ? booking : (asText(lane(origin.bodyOf(message))) ?? booking),
    render: (message, facts) => {
      const render = rendererOf(message.type);
      if (render === null)
        throw new BridgeError('render-failed', `${name} has no template for ${message.type}`, { at: name });
      return render({ ...message, form, body: origin.bodyOf(message) }, facts);
    },
    to: target.channel as ChannelName,
    readAnswer:
      answer === undefined
        ? null
        : compileAnswer(compilation, answer, [...at, 'answer'], { route: name, types }),
    retry: compileRetry(compilation, retry, [...at, 'retry']),
    notAfter: (message) =>
      retry.notAfter === undefined ? null : instantOf(deadline(origin.bodyOf(message))),
    onDead: config.onDead ?? 'block',
  };
  return { route, types };
}

function compileRenderings(
  compilation: Compilation,
  config: RouteConfig,
  {
    origin,
    target,
    types,
    at,
  }: {
    readonly origin: Origin;
    readonly target: Omit<Target, 'renders'>;
    readonly types: ReadonlySet<string> | null;
    readonly at: At;
  },
): (type: string) => Renderer | null {
  const templates = templatesIn(config.render);
  const here = [...at, 'render'];
  if (templates.kind === 'one') {
    const one = compileRendering(compilation, templates.config, here, {
      ...target,
      renders: [{ origin, types }],
    });
    return () => one;
  }
  const byType = new Map<string, Renderer | null>();
  for (const [type, one] of templates.configs) {
    const renders = [{ origin, types: new Set([type]) }];
    byType.set(type, compileRendering(compilation, one, [...here, type], { ...target, renders }));
  }
  return (type) => byType.get(type) ?? null;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:?\d{2})$/;

/** The instant a text says with its offset; null for anything else, also for a local time: whose would it be? */
function instantOf(value: unknown): Date | null {
  if (typeof value !== 'string' || !INSTANT.test(value)) return null;
  const instant = new Date(value.replace(' ', 'T'));
  return Number.isNaN(instant.getTime()) ? null : instant;
}
