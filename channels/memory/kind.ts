import type { ChannelKind } from '../../engine/channel.ts';
import { ScriptedSource } from './inbound.ts';
import { type Script, ScriptedDestination } from './outbound.ts';

/** The kind `memory`, and the channels that were made of it, by name. */
export interface MemoryKind extends ChannelKind {
  readonly sources: ReadonlyMap<string, ScriptedSource>;
  readonly destinations: ReadonlyMap<string, ScriptedDestination>;
}

/** Makes a kind `memory` for one bridge: its far sides are scripts, by the name of the channel. Not in routes.yaml of anybody. */
export function memoryKind(scripts: Readonly<Record<string, Script>> = {}): MemoryKind {
  const sources = new Map<string, ScriptedSource>();
  const destinations = new Map<string, ScriptedDestination>();
  const none = { type: 'object', additionalProperties: false, properties: {} };
  return {
    kind: 'memory',
    summary: 'Brings and takes messages inside the process. For tests.',
    sources,
    destinations,
    inbound: {
      options: none,
      create(name) {
        const source = new ScriptedSource(name);
        sources.set(name, source);
        return source;
      },
    },
    outbound: {
      options: none,
      envelope: { type: 'object', additionalProperties: { type: 'string' } },
      verdicts: { taken: 'taken', declined: 'declined', later: 'later', wrong: 'wrong' },
      create(name) {
        const destination = new ScriptedDestination(name, scripts[name], { started: false });
        destinations.set(name, destination);
        return destination;
      },
    },
  };
}
