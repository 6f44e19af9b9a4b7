import { createHash } from 'node:crypto';
import type { ChannelKind } from '../channel.ts';
import type { Verdict } from '../delivery.ts';
import type { ChannelName, SystemName } from '../message.ts';
import type { ChannelPlan, OutboundPlan } from '../plan.ts';
import { type Compilation, reportKey, reportValue } from './compilation.ts';
import type { ChannelConfig } from './config.ts';
import type { At } from './positions.ts';
import { compileProbe } from './probe.ts';
import type { Target } from './rendering.ts';
import { optionsBy } from './shape.ts';
import { parseDuration } from './units.ts';

const USUAL_TIMEOUT_MS = 30_000;

/** What both directions of a channel have. */
export function compileChannel(
  compilation: Compilation,
  name: string,
  config: ChannelConfig,
  schema: Readonly<Record<string, unknown>>,
): ChannelPlan {
  const { kind = '', system = '' } = config;
  const options = optionsBy(schema, config);
  const connections = compilation.systems.get(system)?.connections ?? {};
  return {
    name: name as ChannelName,
    system: system as SystemName,
    kind,
    options,
    fingerprint: digest({ kind, system, options, connections }),
  };
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Compiles an outbound channel; `renders` are the messages that reach it. */
export function compileOutbound(
  compilation: Compilation,
  name: string,
  config: ChannelConfig,
  {
    outbound,
    renders,
  }: { readonly outbound: NonNullable<ChannelKind['outbound']>; readonly renders: Target['renders'] },
): OutboundPlan {
  const at: At = ['channels', name];
  const channel = compileChannel(compilation, name, config, outbound.options);
  const repeats = config.repeats ?? outbound.repeats ?? 'unsafe';
  checkProbing(compilation, config, repeats, at);
  const target = { channel: name, kind: channel.kind, system: channel.system, renders };
  const probe =
    config.probe === undefined ? null : compileProbe(compilation, config.probe, [...at, 'probe'], target);
  return {
    ...channel,
    maxInFlight: config.maxInFlight ?? 1,
    deadlineMs:
      config.timeout === undefined ? USUAL_TIMEOUT_MS : (parseDuration(config.timeout) ?? USUAL_TIMEOUT_MS),
    repeats,
    verdicts: verdictsOf(config, outbound),
    probe,
  };
}

function verdictsOf(
  config: ChannelConfig,
  outbound: NonNullable<ChannelKind['outbound']>,
): ReadonlyMap<string, Verdict> {
  const listed = Object.entries(config.verdicts ?? outbound.verdicts ?? {});
  return new Map(
    listed.flatMap(([signal, verdict]) => (verdict === undefined ? [] : [[signal, verdict] as const])),
  );
}

function checkProbing(compilation: Compilation, config: ChannelConfig, repeats: string, at: At): void {
  if (repeats === 'probe' && config.probe === undefined && !compilation.yaml.has([...at, 'probe'])) {
    const message = `${at.join('.')} says repeats: probe and no probe`;
    reportValue(
      compilation,
      [...at, 'repeats'],
      message,
      'Add probe: with the question, or write unsafe instead.',
    );
  }
  const misspelt = config.repeats === undefined && compilation.yaml.has([...at, 'repeats']);
  if (repeats !== 'probe' && config.probe !== undefined && !misspelt) {
    const message = `${at.join('.')} has a probe that is never used`;
    reportKey(compilation, [...at, 'probe'], message, 'Write repeats: probe, or take the probe out.');
  }
}
