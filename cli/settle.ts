import { Command, Option } from 'commander';
import type { Office } from '../engine/bridge.ts';
import { BridgeError } from '../engine/errors.ts';
import { eventFor, type Finding, settleByHand } from '../engine/operations/settle.ts';
import type { DeadLetter } from '../engine/records.ts';
import { planIn } from './authoring.ts';
import { type Deciding, decides, decisionOf, sayDone } from './decision.ts';
import { environment } from './environment.ts';
import { referenceIn, saidIn } from './given.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { standing } from './standing.ts';
import { print, printJson } from './terminal.ts';

interface Options extends Deciding {
  readonly as: 'delivered' | 'not-taken' | 'given-up';
  readonly hospitalRef?: string;
  readonly event?: string;
}

/** `hisbridge settle <id>`: tells the engine what a person found out about something that stands still. */
export function settle(): Command {
  const command = new Command('settle')
    .description(
      'Settle what stands still by what you know: the hospital has it, does not have it, or it is given up.',
    )
    .argument('<id>', 'the beginning of the id of a held or dead delivery, or of a refused message')
    .addOption(
      new Option(
        '--as <finding>',
        'delivered: the hospital has it; not-taken: it never got it, the same bytes go again; given-up: it will not be sent',
      )
        .choices(['delivered', 'not-taken', 'given-up'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why: kept with your name')
    .option('--hospital-ref <reference>', "delivered: the hospital's own reference, which the booking learns")
    .option(
      '--event <event>',
      'delivered: what the booking hears; none for nothing. Left out: booking.placed, booking.rescheduled or booking.cancelled, by what was asked',
    )
    .action(run);
  return examples(
    decides(command),
    [
      'hisbridge settle 0199a3c4 --as not-taken --reason "not in their calendar"',
      'hisbridge settle 0199a3c4 --as delivered --hospital-ref SM-000009 --event booking.confirmed --reason "found it at the desk"',
      'hisbridge settle 0199a3c4 --as given-up --reason "patient called, goes elsewhere"',
    ],
    'Works while engines run. Exit code 5 when it does not stand still any more.',
  );
}

async function run(id: string, options: Options): Promise<void> {
  saidIn('the id', id);
  saidIn('--reason', options.reason);
  if (options.hospitalRef !== undefined) referenceIn('--hospital-ref', options.hospitalRef);
  await withOffice(async (office) => {
    const letter = await standing(office.records, id);
    if (letter.kind === 'refusal') await close(office, letter, options);
    else {
      const operations = await office.operations(planIn(options.config, environment()));
      const finding = findingOf(letter, options, operations.desk.kindOf(letter.type) === 'request');
      sayDone(await settleByHand(operations, letter.id, finding, decisionOf(options)), options.json === true);
    }
  });
}

async function close(
  { records }: Office,
  { message }: DeadLetter,
  { as, json, ...options }: Options,
): Promise<void> {
  if (as !== 'given-up')
    throw new BridgeError(
      'usage',
      'a refused message was never sent: it can only be given up; its sender may send a corrected one',
    );
  await records.closeRefusal(message, decisionOf(options));
  if (json) printJson({ message, state: 'closed' });
  else print([`${message} is closed: nothing more will come of it.`]);
}

function findingOf(
  { type, booking }: DeadLetter,
  { as, hospitalRef, event }: Options,
  isRequest: boolean,
): Finding {
  const saysMore = hospitalRef !== undefined || event !== undefined;
  if (as !== 'delivered') {
    if (saysMore) throw new BridgeError('usage', '--hospital-ref and --event belong to --as delivered');
    return { as };
  }
  if (saysMore && booking === null)
    throw new BridgeError('usage', `${type} belongs to no booking that could learn or hear anything`);
  const hears = event === undefined ? (isRequest && booking !== null ? eventFor(type) : null) : event;
  const learnt = hospitalRef === undefined ? {} : { hospitalRef };
  return { as, event: hears === 'none' ? null : hears, learnt };
}
