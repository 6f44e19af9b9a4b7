import { DEFAULT_LIMITS } from '../forms/form.ts';
import type { InboundPlan } from '../plan.ts';
import type { Compilation } from './compilation.ts';
import { type Origin, origin } from './origin.ts';
import { compileChannel } from './outbound.ts';
import { compileRead } from './read.ts';
import { schemasIn } from './schemas.ts';
import { parseSize } from './units.ts';

/** An inbound channel, and what routes from it must know. */
export interface CompiledInbound {
  readonly plan: InboundPlan;
  readonly origin: Origin;
}

/** Compiles the inbound channel `name`; null when its kind brings nothing, or it does not say how it is read. */
export function compileInbound(compilation: Compilation, name: string): CompiledInbound | null {
  const config = compilation.config.channels[name] ?? {};
  const kind = compilation.kinds.get(config.kind ?? '')?.inbound;
  const { read } = config;
  if (kind === undefined || read === undefined) return null;
  const at = ['channels', name, 'read'];
  const schemas = schemasIn(compilation, read.schema, [...at, 'schema']);
  const maxBytes = parseSize(config.maxBytes ?? '') ?? DEFAULT_LIMITS.maxBytes;
  const channel = compileChannel(compilation, name, config, kind.options);
  const { system } = channel;
  const form = read.as ?? 'json';
  const limits = { ...DEFAULT_LIMITS, maxBytes };
  return {
    plan: { ...channel, read: compileRead(compilation, read, at, { schemas, maxBytes, system }) },
    origin: origin(channel.name, compilation.tools.codecs[form], {
      form,
      schemas,
      hospital: read.hospital === undefined ? system : null,
      ordered: read.booking !== undefined,
      isBuiltIn: false,
      limits,
    }),
  };
}
