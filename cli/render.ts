import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parse } from 'yaml';
import { BridgeError } from '../engine/errors.ts';
import type { BookingFacts } from '../engine/facts.ts';
import { authoredPlan } from './authoring.ts';
import { routeOf } from './explain.ts';
import { arrive } from './fixtures/given.ts';
import { examples, FOLDER } from './help.ts';
import { print, printJson, say } from './terminal.ts';

interface Options {
  readonly config: string;
  readonly in: string;
  readonly facts?: string;
  readonly json?: boolean;
}

/** `hisbridge render <route>`: what would be sent for a message, without sending it. */
export function render(): Command {
  const command = new Command('render')
    .description(
      'Print what a route would send for a message: the envelope on stderr, the bytes on stdout. Sends nothing.',
    )
    .argument('<route>', 'a route of routes.yaml')
    .requiredOption('--in <file>', 'the message as it comes in; - for stdin')
    .option(
      '--facts <file>',
      'what is known of the booking, as YAML or JSON: hospitalRef, slotStart, slotEnd, state',
    )
    .option(...FOLDER)
    .option('--json', 'print envelope and body as JSON')
    .action(run);
  return examples(command, [
    'hisbridge render to-alnoor --in examples/dawy/booking-requested.alnoor.json',
    'hisbridge render to-stmary --in - --facts facts.yaml < message.json',
  ]);
}

function run(name: string, { config, in: file, facts, json = false }: Options): void {
  const plan = authoredPlan(config);
  const route = routeOf(plan, name);
  const arrived = arrive(plan, route.from, bytesIn(file));
  if (arrived.kind === 'refused') throw arrived.error;
  const { message, booking: reference } = arrived;
  if (!route.matches(message))
    throw new BridgeError('route-missing', `${name} does not take ${message.type} for ${message.hospital}`);
  const system = plan.outbound.get(route.to)?.system ?? message.hospital;
  const known = facts === undefined ? {} : (parse(bytesIn(facts).toString()) as Partial<BookingFacts>);
  const booking = reference === null ? null : { reference, state: 'requested', ...known };
  const timeZone = plan.systems.get(system)?.timeZone ?? null;
  const { body, envelope } = route.render(message, {
    booking,
    edition: { key: 'EDITION-KEY' },
    system: { name: system, timeZone },
  });
  const text = Buffer.from(body).toString();
  if (json) printJson({ to: route.to, envelope, body: text });
  else {
    say([`to ${route.to}`, ...Object.entries(envelope).map((pair) => pair.join(' '))].join(', '));
    print([text.trimEnd()]);
  }
}

function bytesIn(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (thrown) {
    throw new BridgeError('usage', `the file ${file} cannot be read`, { cause: thrown });
  }
}
