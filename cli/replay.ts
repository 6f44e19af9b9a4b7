import { Command } from 'commander';
import { replay as again } from '../engine/operations/replay.ts';
import { planIn } from './authoring.ts';
import { type Deciding, decides, decisionOf } from './decision.ts';
import { environment } from './environment.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { stoppedDelivery } from './standing.ts';
import { CALLED, print, printJson, say } from './terminal.ts';

interface Options extends Deciding {
  readonly outOfOrder?: boolean;
  readonly asNew?: boolean;
}

/** `hisbridge replay <id>`: sends a delivery that stands still as something new. */
export function replay(): Command {
  const command = new Command('replay')
    .description(
      'Send a dead delivery again as something new: rendered anew by the templates of today, under a new key.',
    )
    .argument('<id>', 'the beginning of the id of the delivery')
    .requiredOption('--reason <text>', 'why: kept with your name')
    .option('--out-of-order', 'also when newer deliveries of its booking have gone')
    .option('--as-new', 'also a held one, which the hospital may have: it may then have it twice')
    .action(run);
  return examples(
    decides(command),
    ['hisbridge replay 0199a3c4 --reason "template corrected"'],
    'Only what the hospital does not have may be replayed. A held one may be there: ask (hisbridge probe), or send the same bytes under the same key once you know that it is not (hisbridge settle --as not-taken). The time of the delivery begins anew, and never goes past the `notAfter` of its route. Exit code 5 when it is held, when newer deliveries have gone, and when it would come too late.',
  );
}

async function run(id: string, options: Options): Promise<void> {
  const { outOfOrder = false, asNew = false, json = false } = options;
  const delivery = await withOffice(async (office) => {
    const letter = await stoppedDelivery(office.records, id);
    const operations = await office.operations(planIn(options.config, environment()));
    await again(operations, letter.id, { ...decisionOf(options), outOfOrder, asNew });
    return letter.id;
  });
  if (json) printJson({ delivery, state: 'queued', edition: 'new' });
  else {
    print([`${delivery} goes again, rendered anew under a new key.`]);
    say(`Look: ${CALLED} show ${delivery}`);
  }
}
