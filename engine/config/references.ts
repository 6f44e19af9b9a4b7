import { BOOKINGS, ENGINE } from '../message.ts';
import { type Compilation, reportValue, warnKey } from './compilation.ts';
import { wantedIn } from './condition.ts';
import type { ChannelConfig } from './config.ts';
import type { Origin } from './origin.ts';
import type { CompiledRoute } from './routes.ts';
import { inboundMarks } from './schema.ts';
import { didYouMean } from './suggest.ts';

/** Whether a channel brings messages or sends them. */
export type Direction = 'inbound' | 'outbound';

/** The direction of a channel, by the same rule as the schema; null when its kind does not tell. */
export function directionOf({ kinds }: Pick<Compilation, 'kinds'>, config: ChannelConfig): Direction | null {
  const kind = kinds.get(config.kind ?? '');
  if (kind === undefined) return null;
  if (kind.inbound === undefined) return 'outbound';
  if (kind.outbound === undefined) return 'inbound';
  return inboundMarks(kind.inbound, kind.outbound).some((key) => config[key] !== undefined)
    ? 'inbound'
    : 'outbound';
}

/** Reports names that refer to nothing, or to a channel of the other direction. */
export function checkReferences(compilation: Compilation): void {
  const { config } = compilation;
  for (const [name, channel] of Object.entries(config.channels)) {
    const { system } = channel ?? {};
    if (system === undefined || config.systems[system] !== undefined) continue;
    const at = ['channels', name, 'system'];
    reportValue(
      compilation,
      at,
      `${system} is not a system`,
      didYouMean(system, Object.keys(config.systems)),
    );
  }
  for (const [name, route] of Object.entries(config.routes)) {
    checkEnd(compilation, ['routes', name, 'from'], route?.from, 'inbound');
    checkEnd(compilation, ['routes', name, 'to'], route?.to, 'outbound');
  }
}

function checkEnd(
  compilation: Compilation,
  at: readonly string[],
  name: string | undefined,
  wanted: Direction,
): void {
  if (name === undefined) return;
  const builtIn: readonly string[] = wanted === 'inbound' ? [BOOKINGS, ENGINE] : [];
  if (builtIn.includes(name)) return;
  const { channels } = compilation.config;
  const channel = channels[name];
  const fitting = Object.keys(channels).filter(
    (one) => directionOf(compilation, channels[one] ?? {}) === wanted,
  );
  if (channel === undefined) {
    reportValue(compilation, at, `${name} is not a channel`, didYouMean(name, [...fitting, ...builtIn]));
    return;
  }
  const direction = directionOf(compilation, channel);
  if (direction === null || direction === wanted) return;
  const does =
    wanted === 'inbound' ? 'is outbound: it brings no messages' : 'is inbound: nothing can be sent to it';
  reportValue(compilation, at, `${name} ${does}`, didYouMean(name, [...fitting, ...builtIn]));
}

/** Warns of channels that no route uses and of systems that nothing names. */
export function warnUnused(compilation: Compilation): void {
  const { config } = compilation;
  const routes = Object.entries(config.routes);
  const ends = new Set(routes.flatMap(([, route]) => [route?.from, route?.to]));
  for (const name of Object.keys(config.channels)) {
    if (ends.has(name)) continue;
    warnKey(
      compilation,
      ['channels', name],
      `no route uses the channel ${name}`,
      'Add a route, or take it out.',
    );
  }
  const named = new Set(Object.values(config.channels).map((channel) => channel?.system));
  for (const [name, route] of routes) {
    const at = ['routes', name, 'when', 'hospital'];
    for (const { text } of wantedIn(compilation, route?.when ?? {}, at)) named.add(text);
  }
  for (const name of Object.keys(config.systems)) {
    if (named.has(name)) continue;
    warnKey(
      compilation,
      ['systems', name],
      `nothing names the system ${name}`,
      'Add a channel to it, or take it out.',
    );
  }
}

/** Warns of types that a channel takes and no route does: each of their messages would be refused. */
export function warnRouteless(
  compilation: Compilation,
  origins: Iterable<Origin>,
  routes: readonly CompiledRoute[],
): void {
  for (const { name, schemas } of origins) {
    const from = routes.filter(({ route }) => route.from === name);
    const routed = new Set(from.flatMap(({ types }) => [...(types ?? schemas.types ?? [])]));
    for (const type of from.length === 0 ? [] : (schemas.types ?? [])) {
      if (routed.has(type)) continue;
      const at = ['channels', name, 'read', 'schema'];
      warnKey(
        compilation,
        at,
        `no route takes ${type} from ${name}`,
        'Add a route for it, or take its schema out.',
      );
    }
  }
}
