import { Command } from 'commander';
import { BridgeError } from '../engine/errors.ts';
import { probe as ask, type Found, settleByProbe } from '../engine/operations/probe.ts';
import { planIn } from './authoring.ts';
import { type Deciding, decides, decisionOf, sayDone } from './decision.ts';
import { environment } from './environment.ts';
import { saidIn } from './given.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { harmless } from './payload.ts';
import { stoppedDelivery } from './standing.ts';
import { CALLED, print, printJson, say } from './terminal.ts';

interface Options extends Omit<Deciding, 'reason'> {
  readonly settle?: boolean;
  readonly reason?: string;
}

/** `hisbridge probe <id>`: asks the hospital whether it has what a delivery asked for. */
export function probe(): Command {
  const command = new Command('probe')
    .description(
      'Ask the hospital, by the probe of its channel, whether it has what a held or dead delivery asked for.',
    )
    .argument('<id>', 'the beginning of the id of the delivery')
    .option('--settle', 'act on the answer: found ends the delivery, absent sends the same bytes again')
    .option('--reason <text>', 'why, with --settle: kept with your name')
    .action(run);
  return examples(
    decides(command),
    ['hisbridge probe 0199a3c4', 'hisbridge probe 0199a3c4 --settle --reason "the hospital is back"'],
    'Exit code 1 when the hospital cannot say.',
  );
}

async function run(id: string, { settle = false, reason, json = false, config }: Options): Promise<void> {
  saidIn('the id', id);
  if (reason !== undefined) saidIn('--reason', reason);
  if (settle && reason === undefined) throw new BridgeError('usage', '--settle needs --reason "why"');
  await withOffice(async (office) => {
    const { id: delivery } = await stoppedDelivery(office.records, id);
    const operations = await office.operations(planIn(config, environment()));
    const probed = await ask(operations, delivery);
    const { found } = probed;
    if (found.word === 'unsure') process.exitCode = 1;
    const done = settle
      ? await settleByProbe(operations, probed, decisionOf({ reason: reason ?? '' }))
      : null;
    if (json && done === null) printJson({ delivery, found: found.word });
    else if (!json) print([`${delivery}: ${wordsOf(found)}`]);
    if (done !== null) sayDone(done, json);
    else if (!json && found.word !== 'unsure')
      say(`Act on it: ${CALLED} probe ${delivery} --settle --reason "…"`);
  });
}

function wordsOf(found: Found): string {
  switch (found.word) {
    case 'taken':
      return 'found. The hospital has it.';
    case 'declined':
      return 'declined. The hospital said no to it.';
    case 'absent':
      return 'absent. The hospital does not have it.';
    case 'unsure':
      return `cannot say. ${found.error.code}: ${harmless(found.error.message)}`;
  }
}
