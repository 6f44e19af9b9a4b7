import { DEFAULT_LIMITS } from '../forms/form.ts';
import type { Probe } from '../route.ts';
import { checkAsked } from './answer.ts';
import { type Compilation, reportKey } from './compilation.ts';
import { conditionIn } from './condition.ts';
import type { FormName, ProbeConfig, SaysConfig } from './config.ts';
import type { At } from './positions.ts';
import { compileRendering, type Target } from './rendering.ts';
import { parseDuration } from './units.ts';

/** Compiles `probe:` of the outbound channel at `at`; null, and problems, when it cannot be. */
export function compileProbe(
  compilation: Compilation,
  config: ProbeConfig,
  at: At,
  target: Target,
): Probe | null {
  const { render: rendering, says: written = [], settleAfter = '' } = config;
  const entries = written.filter((entry) => entry !== null);
  if (entries.length > 0 && entries.every(({ verdict }) => verdict !== undefined && verdict !== 'absent')) {
    const instead = 'Add an entry with verdict: absent; without it nothing is ever sent again.';
    reportKey(compilation, [...at, 'says'], 'no entry of says is absent', instead);
  }
  const says = compileSays(compilation, config, at, target);
  const render =
    rendering === undefined ? null : compileRendering(compilation, rendering, [...at, 'render'], target);
  const settleAfterMs = parseDuration(settleAfter);
  return render === null || settleAfterMs === null
    ? null
    : { settleAfterMs, render: withBody(render, target), says };
}

function withBody(render: Probe['render'], { renders }: Target): Probe['render'] {
  const origins = new Map(renders.map(({ origin }) => [origin.name, origin]));
  return (message, facts) => {
    const body = origins.get(message.channel)?.bodyOf(message) ?? message.body;
    return render({ ...message, body }, facts);
  };
}

function compileSays(
  compilation: Compilation,
  config: ProbeConfig,
  at: At,
  { renders }: Target,
): Probe['says'] {
  const form = config.as ?? formOf(config.render?.template ?? '');
  const types = renders.some(({ types }) => types === null)
    ? null
    : new Set(renders.flatMap(({ types }) => [...(types ?? [])]));
  const entries = (config.says ?? []).flatMap((entry: SaysConfig | null, index) => {
    const when = entry?.when ?? {};
    const here = [...at, 'says', index, 'when'];
    if (entry?.verdict === undefined) return [];
    checkAsked(compilation, when, here, types);
    return [
      { holds: conditionIn(compilation, form, when, { at: here, words: ['asked'] }), verdict: entry.verdict },
    ];
  });
  const codec = compilation.tools.codecs[form];
  return (answer, asked) => {
    try {
      const body = codec.decode(answer, DEFAULT_LIMITS);
      return entries.find(({ holds }) => holds(body, { asked: asked.type }))?.verdict ?? null;
    } catch {
      // What cannot be read says neither yes nor no: the question is asked again later.
      return null;
    }
  };
}

function formOf(template: string): FormName {
  return template.endsWith('.xml.hbs') ? 'xml' : 'json';
}
