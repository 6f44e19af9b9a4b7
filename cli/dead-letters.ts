import { Command } from 'commander';
import { CATALOGUE, type Owner } from '../engine/errors.ts';
import type { DeadLetter } from '../engine/records.ts';
import { countIn, saidIn } from './given.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { harmlessInLine } from './payload.ts';
import { standing } from './standing.ts';
import { CALLED, coloured, counted, print, printJson, say, span } from './terminal.ts';
import { timeOf, trailJson, trailLines } from './trail.ts';

interface ListOptions {
  readonly limit: string;
  readonly json?: boolean;
}

interface ShowOptions {
  readonly payloads: boolean;
  readonly json?: boolean;
}

/** `hisbridge dead-letters list|show`: what needs a person, who, why and what to do next. */
export function deadLetters(): Command {
  const list = new Command('list')
    .description(
      'List what needs a person, the oldest first: who must act, why, and the next command. Exit code 1 when there is any.',
    )
    .option('--limit <count>', 'at most so many', '100')
    .option('--json', 'print them as JSON')
    .action(printList);
  const one = new Command('show')
    .description('Show one of them with its whole trail.')
    .argument('<id>', 'the beginning of its id')
    .option('--no-payloads', 'leave out what was received, sent and answered')
    .option('--json', 'print it as JSON')
    .action(printOne);
  const command = new Command('dead-letters')
    .description('What needs a person: refused messages, and deliveries that are held or dead.')
    .addCommand(examples(list, ['hisbridge dead-letters list', 'hisbridge dead-letters list --json']))
    .addCommand(examples(one, ['hisbridge dead-letters show 0199a3c4']));
  return examples(command, ['hisbridge dead-letters list', 'hisbridge dead-letters show 0199a3c4']);
}

async function printList({ limit, json = false }: ListOptions): Promise<void> {
  const most = countIn('--limit', limit);
  const found = await withOffice(({ records }) => records.deadLetters(most));
  if (json) printJson(found.map(deadLetterJson));
  else {
    print(found.flatMap(deadLetterLines));
    say(found.length === 0 ? 'Nothing needs a person.' : `${counted(found.length, 'dead letter')}.`);
  }
  if (found.length > 0) process.exitCode = 1;
}

async function printOne(id: string, { payloads, json = false }: ShowOptions): Promise<void> {
  saidIn('the id', id);
  await withOffice(async ({ records }) => {
    const found = await standing(records, id);
    const trail = await records.trail({ message: found.message });
    if (json)
      printJson({ ...deadLetterJson(found), trail: trail === null ? null : trailJson(trail, payloads) });
    else print([...deadLetterLines(found), '', ...(trail === null ? [] : trailLines(trail, payloads))]);
  });
}

const OWNERS: Readonly<Record<Owner, string>> = {
  'dawy-developer': 'a developer of Dawy',
  'integration-engineer': 'an integration engineer',
  'hospital-it': 'the IT of the hospital',
  operations: 'operations',
  hisbridge: 'the makers of hisbridge',
};

/** A dead letter for people: what stands still, why, who must act, and the next command. */
export function deadLetterLines(letter: DeadLetter): readonly string[] {
  const { since, error, type, hospital, booking, channel, id } = letter;
  const state = letter.kind === 'delivery' ? letter.state : 'refused';
  const behind =
    letter.kind === 'delivery' && letter.behind > 0 ? `, ${letter.behind} waiting behind it` : '';
  const waited = span(Math.max(0, Date.now() - since.getTime()));
  const about = `${booking === null ? 'no booking' : harmlessInLine(booking)}, ${harmlessInLine(type)} for ${hospital}`;
  const where = letter.kind === 'delivery' ? `${letter.route} to ${channel}` : `from ${channel}`;
  return [
    `${coloured('red', state)}  ${id}  ${about}, ${where}, since ${timeOf(since)} (${waited})${behind}`,
    `      why   ${error.code}: ${harmlessInLine(error.message)}`,
    `      who   ${OWNERS[CATALOGUE[error.code].owner]}: ${remedyOf(letter)}`,
    `      next  ${nextCommands(letter).join('  or  ')}`,
  ];
}

function remedyOf({ error: { details, remedy } }: DeadLetter): string {
  return typeof details['remedy'] === 'string' ? harmlessInLine(details['remedy']) : remedy;
}

/** The commands that lead on, the most likely first. */
export function nextCommands({ kind, error, id, ...letter }: DeadLetter): readonly string[] {
  const reason = '--reason "…"';
  if (kind === 'refusal') return [`${CALLED} show ${id}`, `${CALLED} settle ${id} --as given-up ${reason}`];
  const isHeld = 'state' in letter && letter.state === 'held';
  if (isHeld) {
    return [
      `${CALLED} probe ${id} --settle ${reason}`,
      `${CALLED} settle ${id} --as delivered|not-taken ${reason}`,
    ];
  }
  const fixes = CATALOGUE[error.code].owner === 'hospital-it' ? 'replay' : 'show';
  const replay = `${CALLED} replay ${id} ${reason}`;
  return fixes === 'replay' ? [replay, `${CALLED} show ${id}`] : [`${CALLED} show ${id}`, replay];
}

function deadLetterJson(letter: DeadLetter): object {
  const { error, ...plain } = letter;
  const { code, message, details } = error;
  const next = nextCommands(letter);
  return {
    ...plain,
    code,
    detail: message,
    details,
    owner: CATALOGUE[code].owner,
    remedy: remedyOf(letter),
    next,
  };
}
