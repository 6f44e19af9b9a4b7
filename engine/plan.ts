import type { Repeats } from './delivery.ts';
import type { ChannelName, RouteName, SystemName } from './message.ts';
import type { Probe, Read, Route, Verdicts } from './route.ts';

/** The compiled configuration: immutable, named by its hash. */
export interface Plan {
  /** SHA-256 over every file it was made of, hex. */
  readonly hash: string;
  /** The files it was made of, by path relative to routes.yaml. Kept with the store at activation. */
  readonly files: ReadonlyMap<string, string>;
  readonly systems: ReadonlyMap<SystemName, System>;
  readonly inbound: ReadonlyMap<ChannelName, InboundPlan>;
  readonly outbound: ReadonlyMap<ChannelName, OutboundPlan>;
  readonly routes: ReadonlyMap<RouteName, Route>;
  /** The routes from a channel, in the order of routes.yaml. */
  routesFrom(channel: ChannelName): readonly Route[];
}

export interface System {
  readonly name: SystemName;
  readonly timeZone: string | null;
  /** Connections the system owns, by kind: `{ amqp: 'amqp://…' }`. */
  readonly connections: Readonly<Record<string, string>>;
}

/** What both directions of a channel have. Two channels with the same `fingerprint` need no restart between plans. */
export interface ChannelPlan {
  readonly name: ChannelName;
  readonly system: SystemName;
  readonly kind: string;
  /** The kind's own options, validated, defaults filled in, secrets in place. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly fingerprint: string;
}

export interface InboundPlan extends ChannelPlan {
  readonly read: Read;
}

export interface OutboundPlan extends ChannelPlan {
  /** How many sends the whole hospital bears at once, over all instances. */
  readonly maxInFlight: number;
  /** How long one send may take, connecting and answering included. Milliseconds. */
  readonly deadlineMs: number;
  readonly repeats: Repeats;
  readonly verdicts: Verdicts;
  readonly probe: Probe | null;
}

/** One thing wrong with the configuration, and what to write instead. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to write instead, when it can be told. */
  readonly instead?: string;
  readonly severity: 'error' | 'warning';
}

export type Compiled =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly warnings: readonly Problem[] }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };
