import { Command } from 'commander';
import {
  type AmqpChannel,
  applyTopology,
  diffTopology,
  type Finding,
  planTopology,
} from '../channels/amqp/topology.ts';
import type { ChannelPlan, Plan } from '../engine/plan.ts';
import { planIn } from './authoring.ts';
import { environment } from './environment.ts';
import { examples, FOLDER } from './help.ts';

/** `hisbridge topology plan|apply`: what routes.yaml needs of RabbitMQ, against what is there. */
export function topology(): Command {
  const command = new Command('topology').description(
    'Compare RabbitMQ with what routes.yaml needs, and declare what is missing.',
  );
  const plan = withOptions(
    'plan',
    'Show what is there, missing or different. Changes nothing. Exit code 1 when something is missing.',
  ).action((options: Options) => each(options, diffTopology));
  const apply = withOptions(
    'apply',
    'Declare what is missing, and wait until it is settled. Never changes or deletes what is there.',
  ).action((options: Options) => each(options, (url, desired) => applyTopology(url, desired)));
  command.addCommand(examples(plan, ['hisbridge topology plan', 'hisbridge topology plan --json']));
  command.addCommand(examples(apply, ['hisbridge topology apply -c deploy/production']));
  return examples(command, ['hisbridge topology plan', 'hisbridge topology apply']);
}

interface Options {
  readonly config: string;
  readonly json?: boolean;
}

function withOptions(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option(...FOLDER)
    .option('--json', 'print findings as JSON');
}

type Act = (url: string, desired: ReturnType<typeof planTopology>) => Promise<readonly Finding[]>;

async function each({ config, json = false }: Options, act: Act): Promise<void> {
  const findings: Finding[] = [];
  for (const [url, channels] of brokersOf(planIn(config, environment()))) {
    findings.push(...(await act(url, planTopology(channels))));
  }
  if (json) console.log(JSON.stringify(findings));
  else
    for (const { what, state, remedy } of findings)
      console.log([state.padEnd(8), what, remedy].filter(Boolean).join('  '));
  if (findings.some(({ state }) => state === 'missing' || state === 'differs')) process.exitCode = 1;
}

/** The AMQP channels of a plan by the broker they share. */
function brokersOf(plan: Plan): ReadonlyMap<string, readonly AmqpChannel[]> {
  const brokers = new Map<string, AmqpChannel[]>();
  const add = (channel: ChannelPlan, direction: 'inbound' | 'outbound') => {
    const url = plan.systems.get(channel.system)?.connections['amqp'];
    if (channel.kind !== 'amqp' || url === undefined) return;
    const there = brokers.get(url) ?? [];
    // The compiler checked the options against the kind's own schema.
    there.push({ direction, options: channel.options } as unknown as AmqpChannel);
    brokers.set(url, there);
  };
  for (const channel of plan.inbound.values()) add(channel, 'inbound');
  for (const channel of plan.outbound.values()) add(channel, 'outbound');
  return brokers;
}
