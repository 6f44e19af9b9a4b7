import type {
  AnswerConfig,
  ChannelConfig,
  Config,
  RenderConfig,
  RouteConfig,
  WhenConfig,
} from '../engine/config/config.ts';
import { templatesIn } from '../engine/config/route-checks.ts';
import { BOOKINGS, ENGINE } from '../engine/message.ts';
import type { OutboundPlan, Plan } from '../engine/plan.ts';
import type { Route } from '../engine/route.ts';
import { configOf } from './fixtures/coverage.ts';
import { span } from './terminal.ts';

/** A route as sentences: one a line, numbered where one follows the other. */
export function explained(plan: Plan, route: Route): readonly string[] {
  const config = configOf(plan);
  const written = config.routes[route.name] ?? {};
  const outbound = plan.outbound.get(route.to);
  const channel = config.channels[route.to] ?? {};
  const steps = [
    ...reading(config, route),
    `what orders them: ${written.lane ?? (route.from === ENGINE ? 'nothing, or the booking when there is one' : 'the booking')}; one at a time, a later one waits for the earlier`,
    ...building(written, outbound),
    ...(outbound === undefined ? [] : [sending(channel, outbound)]),
  ];
  return [
    `When ${source(config, route)},`,
    ...conditions(written),
    ...steps.map((step, index) => ` ${index + 1}. ${step}`),
    ...(outbound === undefined ? [] : verdicts(outbound)),
    ...meanings(written.answer),
    ...patience(route, outbound),
  ];
}

function source({ channels }: Config, { from }: Route): string {
  if (from === BOOKINGS) return 'a booking has something to say to Dawy (what the booking machine says)';
  if (from === ENGINE) return 'the engine refuses a message or a delivery stands still';
  const { system, kind, queue } = (channels[from] ?? {}) as ChannelConfig & { readonly queue?: string };
  const where = queue === undefined ? '' : `, queue ${queue}`;
  return `${system} sends a message to ${from} (${kind}${where})`;
}

function conditions({ when = {}, render }: RouteConfig): readonly string[] {
  const told = conditionWords(when);
  const templates = templatesIn(render);
  const types = templates.kind === 'one' ? [] : [...templates.configs.keys()];
  return [
    ...(told === '' ? [] : [`and ${told},`]),
    ...(types.length === 0 ? [] : [`and its type is ${either(types)},`]),
  ];
}

function conditionWords(when: WhenConfig): string {
  return Object.entries(when)
    .map(([path, value]) => `${path} is ${either((Array.isArray(value) ? value : [value]).map(String))}`)
    .join(' and ');
}

function reading({ channels }: Config, { from }: Route): readonly string[] {
  const read = channels[from]?.read;
  if (read === undefined) return [];
  const schema = read.schema === undefined ? '' : ` and check it against ${read.schema}`;
  return [
    `read it as ${(read.as ?? 'json').toUpperCase()}${schema} (else: refused, kept, and its sender is told where and why)`,
    `keep it once: ${read.id ?? 'the body itself'} tells a repeat, which has no second effect`,
  ];
}

function building({ render }: RouteConfig, outbound: OutboundPlan | undefined): readonly string[] {
  const templates = templatesIn(render);
  const builds =
    templates.kind === 'one'
      ? [`build ${withEnvelope(templates.config)}`]
      : [...templates.configs].map(([type, config]) => `for ${type} build ${withEnvelope(config)}`);
  const after = outbound === undefined ? '' : ', then write the bytes and their key to disk';
  const end = ` (a value that is missing: dead, owner integration engineer)${after}`;
  return builds.map((build, index) => (index === builds.length - 1 ? `${build}${end}` : build));
}

function withEnvelope({ template, ...envelope }: RenderConfig): string {
  const beside = Object.values(envelope).filter((value) => value !== undefined);
  return beside.length === 0 ? `${template}` : `${beside.join(' ')} from ${template}`;
}

function sending(
  channel: ChannelConfig,
  { name, system, kind, maxInFlight, deadlineMs }: OutboundPlan,
): string {
  const { address, exchange } = channel as { readonly address?: string; readonly exchange?: string };
  const where = address ?? exchange ?? name;
  return `send it to ${system} over ${kind} (${where}), ${maxInFlight} at once for all engines together, and wait ${span(deadlineMs)} for the answer`;
}

function verdicts({ verdicts: listed, repeats, probe }: OutboundPlan): readonly string[] {
  const by = new Map<string, string[]>();
  for (const [signal, verdict] of listed) by.set(verdict, [...(by.get(verdict) ?? []), signal]);
  const words = {
    taken: 'it has it: delivered',
    declined: 'it said no: delivered, the booking hears the no',
    later: 'not now: sent again later',
    wrong: 'our message is at fault: dead',
  };
  const lines = Object.entries(words).flatMap(([verdict, meaning]) => {
    const signals = by.get(verdict);
    return signals === undefined ? [] : [`    ${signals.join(', ')} -> ${meaning}`];
  });
  const uncertain = {
    recognized: 'the same bytes are sent again under the same key, which it recognizes',
    probe: `it is asked whether it has it (from ${span(probe?.settleAfterMs ?? 0)} after the send "no" counts), and only then sent again`,
    unsafe: 'held for a person, because it would book twice',
  }[repeats];
  return [
    ...lines,
    '    any other answer -> dead, except what says by itself that it may pass',
    `    no answer -> ${uncertain}`,
  ];
}

function meanings(answer: AnswerConfig | undefined): readonly string[] {
  if (answer === undefined) return [];
  const lines = (answer.becomes ?? []).flatMap((entry) => {
    if (entry === null) return [];
    const told = conditionWords(entry.when ?? {});
    return [`    ${told === '' ? 'anything' : told} -> ${entry.event === 'none' ? 'nothing' : entry.event}`];
  });
  const learnt = Object.entries(answer.learn ?? {}).map(([name, path]) => `${name} from ${path}`);
  return [
    'What the booking hears, the first that holds:',
    ...lines,
    '    none holds -> kept as a refused message: a person reads it',
    ...(learnt.length === 0 ? [] : [`    and it learns ${learnt.join(', ')}`]),
  ];
}

function patience({ retry, onDead, to }: Route, outbound: OutboundPlan | undefined): readonly string[] {
  const { attempts, firstMs, maxMs, forMs } = retry;
  const blocked =
    onDead === 'block' ? 'what is behind it in its lane waits for a person' : 'what is behind it goes on';
  return [
    `It is sent again after up to ${span(firstMs)}, then longer, up to ${span(maxMs)}; at most ${attempts} refusals of the kind "not now" and ${span(forMs)} in all. While ${outbound?.system ?? to} is away nothing is counted.`,
    `When it is dead or held, ${blocked}.`,
  ];
}

function either(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
