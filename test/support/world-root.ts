import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { type AmqpChannel, planTopology, type Topology } from '../../channels/amqp/topology.ts';
import { loadPlan, problemsOf } from '../../engine/bridge.ts';
import { BridgeError } from '../../engine/errors.ts';
import { CHECKOUT } from '../../sandbox/environment.ts';

/** What a world calls its things on a broker it shares. */
export interface BrokerNames {
  readonly queue: string;
  /** Where Dawy publishes. */
  readonly bookings: string;
  /** Where the engine publishes. */
  readonly events: string;
}

/** A change to the example's routes.yaml: a path into it, and what stands there; `undefined` takes it out. */
export type Edits = readonly (readonly [path: readonly string[], value: unknown])[];

/** The names of one world on the broker. */
export function brokerNames(prefix: string): BrokerNames {
  return { queue: `${prefix}.queue`, bookings: `${prefix}.bookings`, events: `${prefix}.events` };
}

/** Writes the example network into a folder of its own, with its names on the broker, and edited. */
export function writeRoot(root: string, names: BrokerNames, edits: Edits): void {
  mkdirSync(root, { recursive: true });
  for (const folder of ['transforms', 'schemas']) {
    cpSync(join(CHECKOUT, folder), join(root, folder), { recursive: true });
  }
  const routes = parseDocument(readFileSync(join(CHECKOUT, 'routes.yaml'), 'utf8'));
  routes.setIn(['channels', 'dawy-in', 'queue'], names.queue);
  routes.setIn(['channels', 'dawy-in', 'bind', 'exchange'], names.bookings);
  routes.setIn(['channels', 'dawy-out', 'exchange'], names.events);
  for (const [path, value] of edits) edit(routes, path, value);
  writeFileSync(join(root, 'routes.yaml'), routes.toString({ lineWidth: 0 }));
}

function edit(routes: Document, path: readonly string[], value: unknown): void {
  if (value === undefined) routes.deleteIn([...path]);
  else routes.setIn([...path], value);
}

/** What the routes of a folder need of the broker. Throws with every problem of a folder that does not compile. */
export function topologyOf(root: string, env: Readonly<Record<string, string>>): Topology {
  const loaded = loadPlan(root, env);
  if (loaded.compiled.kind === 'problems') {
    throw new BridgeError('config-invalid', problemsOf(loaded).join('\n'));
  }
  const { inbound, outbound } = loaded.compiled.plan;
  const channels = [
    ...[...inbound.values()].map((channel) => ({ ...channel, direction: 'inbound' })),
    ...[...outbound.values()].map((channel) => ({ ...channel, direction: 'outbound' })),
  ].filter(({ kind }) => kind === 'amqp');
  // The compiler checked the options against the kind's own schema.
  return planTopology(channels as unknown as readonly AmqpChannel[]);
}
