import { Command } from 'commander';
import { type Deciding, decides, decisionOf } from './decision.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { stoppedDelivery } from './standing.ts';
import { CALLED, print, printJson, say } from './terminal.ts';

interface Options extends Deciding {
  readonly outOfOrder?: boolean;
}

/** `hisbridge replay <id>`: sends a delivery that stands still as something new. */
export function replay(): Command {
  const command = new Command('replay')
    .description(
      'Send a held or dead delivery again as something new: rendered anew by the templates of today, under a new key.',
    )
    .argument('<id>', 'the beginning of the id of the delivery')
    .requiredOption('--reason <text>', 'why: kept with your name')
    .option('--out-of-order', 'also when newer deliveries of its booking have gone')
    .action(run);
  return examples(
    decides(command),
    ['hisbridge replay 0199a3c4 --reason "template corrected"'],
    'Only what the hospital does not have may be replayed: for a held one ask it first (hisbridge probe). Exit code 5 when newer deliveries have gone.',
  );
}

async function run(id: string, options: Options): Promise<void> {
  const { outOfOrder = false, json = false } = options;
  const delivery = await withOffice(async ({ records }) => {
    const letter = await stoppedDelivery(records, id);
    await records.replay(letter.id, { ...decisionOf(options), outOfOrder });
    return letter.id;
  });
  if (json) printJson({ delivery, state: 'queued', edition: 'new' });
  else {
    print([`${delivery} goes again, rendered anew under a new key.`]);
    say(`Look: ${CALLED} show ${delivery}`);
  }
}
