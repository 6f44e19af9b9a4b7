import { Command, InvalidArgumentError } from 'commander';
import { onlyNear } from '../engine/config/suggest.ts';
import { parseDuration } from '../engine/config/units.ts';
import { BridgeError } from '../engine/errors.ts';
import { type HospitalEndpoints, readEndpoints } from '../sandbox/environment.ts';
import {
  type HospitalControl,
  HospitalControlError,
  type HospitalStatus,
  hospitalControl,
} from '../sandbox/hospitals/control.ts';
import type { JournalLine, Operation } from '../sandbox/hospitals/journal.ts';
import { type MisbehaviourOptions, MODES, type Mode } from '../sandbox/hospitals/misbehaviour.ts';
import { sandboxFolder } from './environment.ts';
import { examples } from './help.ts';
import { CALLED, columns, counted, print, printJson, say, span } from './terminal.ts';

interface Json {
  readonly json?: boolean;
}

interface BreakOptions extends Json {
  readonly rate?: number;
  readonly for?: number;
  readonly times?: number;
  readonly delay?: number;
  readonly retryAfter?: number;
  readonly operation?: readonly Operation[];
  readonly reference?: readonly string[];
}

/** `hisbridge sandbox …`: makes the simulated hospitals misbehave, and reads what they saw. */
export function sandbox(): Command {
  const command = new Command('sandbox').description(
    'Break and heal the simulated hospitals of the running sandbox (npm start), and read their journals.',
  );
  for (const add of [breaking, healing, journal, resetting, standing]) command.addCommand(add());
  return examples(command, [
    'hisbridge sandbox break stmary down --for 1m',
    'hisbridge sandbox break alnoor reset-after --rate 0.2',
    'hisbridge sandbox heal',
    'hisbridge sandbox journal stmary',
  ]);
}

function breaking(): Command {
  const modes = columns(Object.entries(MODES).map(([mode, does]) => [`  ${mode}`, does]));
  const command = new Command('break')
    .description('Make a hospital misbehave from now on.')
    .argument('<hospital>', 'alnoor, stmary')
    .argument('<mode>', 'what it does: see below')
    .option('--rate <share>', 'the share of requests it happens to, 0 to 1', number)
    .option('--for <duration>', 'how long: 30s, 2m; until it is healed when left out', duration)
    .option('--times <count>', 'how many requests it happens to', number)
    .option('--delay <duration>', 'for slow and late-answer: how long it waits', duration)
    .option('--retry-after <seconds>', 'for rate-limit: what it asks us to wait', number)
    .option('--operation <names...>', 'only these operations: book, move, cancel, find')
    .option('--reference <references...>', 'only these bookings')
    .option('--json', 'print the state of the hospital as JSON')
    .action(async (name: string, mode: string, options: BreakOptions) => {
      const known = modeOf(mode);
      const status = await ask(name, (control) => control.break(known, optionsOf(options)));
      show([status], options);
      if (!options.json) say(`Heal it with: ${CALLED} sandbox heal ${name}`);
    });
  return examples(
    command,
    ['hisbridge sandbox break stmary silent --for 1m', 'hisbridge sandbox break alnoor decline --rate 0.5'],
    `Modes:\n${modes.join('\n')}`,
  );
}

function healing(): Command {
  return each('heal', 'End every misbehaviour of a hospital, or of all.', (control) => control.heal(), [
    'hisbridge sandbox heal',
    'hisbridge sandbox heal stmary',
  ]);
}

function resetting(): Command {
  const what = 'Empty the calendar and the journal of a hospital, or of all. What the engine keeps stays.';
  return each('reset', what, (control) => control.reset(), ['hisbridge sandbox reset alnoor']);
}

function standing(): Command {
  return each('status', 'Show how a hospital, or every one, is doing.', (control) => control.status(), [
    'hisbridge sandbox status',
  ]);
}

function each(
  name: string,
  description: string,
  act: (control: HospitalControl) => Promise<HospitalStatus>,
  lines: readonly string[],
): Command {
  const command = new Command(name)
    .description(description)
    .argument('[hospital]', 'every hospital when left out')
    .option('--json', 'print as JSON')
    .action(async (hospital: string | undefined, options: Json) => {
      const names = hospital === undefined ? Object.keys(hospitals()) : [hospital];
      show(await Promise.all(names.map((one) => ask(one, act))), options);
    });
  return examples(command, lines);
}

function journal(): Command {
  const command = new Command('journal')
    .description(
      'Print every request a hospital saw and the effect it had, as JSON lines: the truth from outside.',
    )
    .argument('<hospital>')
    .option('--since <line>', 'only the lines after this number', number)
    .option('--json', 'print JSON lines, which is what it always does')
    .action(async (name: string, { since = 0 }: { readonly since?: number }) => {
      const lines = await ask<readonly JournalLine[]>(name, (control) => control.journal(since));
      for (const line of lines) printJson(line);
    });
  return examples(command, [
    'hisbridge sandbox journal stmary',
    'hisbridge sandbox journal alnoor --since 40',
  ]);
}

function hospitals(): Readonly<Record<string, HospitalEndpoints>> {
  const endpoints = readEndpoints(sandboxFolder());
  if (endpoints === null)
    throw new BridgeError(
      'connection-failed',
      'the sandbox of this checkout does not run: start it with npm start',
    );
  return endpoints.hospitals;
}

async function ask<Said>(name: string, act: (control: HospitalControl) => Promise<Said>): Promise<Said> {
  const known = hospitals();
  const there = known[name];
  if (there === undefined)
    throw new BridgeError('usage', `${name} is no hospital of the sandbox: ${Object.keys(known).join(', ')}`);
  try {
    return await act(hospitalControl(there.control));
  } catch (thrown) {
    if (thrown instanceof HospitalControlError) throw new BridgeError('usage', `${name}: ${thrown.message}`);
    throw new BridgeError('connection-failed', `${name} does not answer at ${there.control}`, {
      cause: thrown,
    });
  }
}

function modeOf(mode: string): Mode {
  if (mode in MODES) return mode as Mode;
  const names = Object.keys(MODES);
  throw new BridgeError(
    'usage',
    `${mode} is no way to misbehave. ${onlyNear(mode, names) ?? `There are ${names.join(', ')}.`}`,
  );
}

function optionsOf(options: BreakOptions): MisbehaviourOptions {
  const {
    rate,
    for: forMs,
    times,
    delay: delayMs,
    retryAfter: retryAfterSeconds,
    operation,
    reference,
  } = options;
  const said = {
    rate,
    forMs,
    times,
    delayMs,
    retryAfterSeconds,
    operations: operation,
    references: reference,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

function show(statuses: readonly HospitalStatus[], { json = false }: Json): void {
  if (json) {
    printJson(statuses);
    return;
  }
  const rows = statuses.map(({ name, kind, address, active, requests, duplicateEffects, misbehaviours }) => [
    name,
    kind,
    address,
    counted(active, 'active appointment'),
    counted(requests, 'request'),
    duplicateEffects === 0 ? 'no duplicate effects' : counted(duplicateEffects, 'duplicate effect'),
    misbehaviours.length === 0
      ? 'well'
      : misbehaviours
          .map(
            ({ mode, rate, forMs }) =>
              `${mode} for ${rate * 100} %${forMs === undefined ? '' : ` during ${span(forMs)}`}`,
          )
          .join(', '),
  ]);
  print(columns(rows));
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Write a number.');
  return value;
}

function duration(text: string): number {
  const value = parseDuration(text);
  if (value === null) throw new InvalidArgumentError('Write a number and a unit: 500ms, 30s, 2m, 1h.');
  return value;
}
