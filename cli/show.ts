import { Command } from 'commander';
import type { Office } from '../engine/bridge.ts';
import { BridgeError } from '../engine/errors.ts';
import type { MessageSummary, Trail } from '../engine/records.ts';
import { saidIn } from './given.ts';
import { examples, FOLDER } from './help.ts';
import { summaryLines } from './messages.ts';
import { privateNames, withOffice } from './office.ts';
import { print, printJson, say } from './terminal.ts';
import { trailJson, trailLines } from './trail.ts';

interface Options {
  readonly config: string;
  readonly payloads: boolean;
  readonly json?: boolean;
}

const CANDIDATES = 50;

/** `hisbridge show <anything people say>`: the whole trail of what the words name. */
export function show(): Command {
  const command = new Command('show')
    .description(
      'Show everything that happened to a booking or message: what came in, what was sent, what was answered, and why.',
    )
    .argument(
      '<words>',
      "a booking's reference, ours or the hospital's; the beginning of an id; a key that was sent; the sender's id; a doctor or patient number",
    )
    .option('--no-payloads', 'leave out what was received, sent and answered')
    .option(...FOLDER)
    .option('--json', 'print the trail as JSON')
    .action(run);
  return examples(
    command,
    ['hisbridge show BK-7712', 'hisbridge show AN-000017', 'hisbridge show 0199a3c4 --no-payloads'],
    'Payloads hold the data of patients: they are shown because whoever runs this may read the database. Exit code 1 when nothing, or more than one thing, is named.',
  );
}

async function run(words: string, { config, payloads, json = false }: Options): Promise<void> {
  saidIn('what to show', words);
  await withOffice(async (office) => {
    const found = await office.records.find(words, privateNames(config), CANDIDATES);
    if (found.length === 0)
      throw new BridgeError('not-found', `nothing is known by the words ${JSON.stringify(words)}`);
    const trails = await trailsOf(office, found);
    const [trail, ...more] = trails;
    if (trail === undefined || more.length > 0) ambiguous(words, found, json);
    else if (json) printJson(trailJson(trail, payloads));
    else print(trailLines(trail, payloads));
  });
}

/** The trails that messages belong to, until a second one is found: more would not be shown. */
async function trailsOf({ records }: Office, found: readonly MessageSummary[]): Promise<readonly Trail[]> {
  const trails: Trail[] = [];
  let left = found;
  while (left.length > 0 && trails.length < 2) {
    const [{ id, booking }] = left as [MessageSummary];
    const trail = await records.trail(booking === null ? { message: id } : { booking });
    if (trail !== null) trails.push(trail);
    const shown = new Set(trail?.messages.map(({ message }) => message.id) ?? []);
    left = left.filter((one) => one.id !== id && !shown.has(one.id));
  }
  return trails;
}

function ambiguous(words: string, found: readonly MessageSummary[], json: boolean): void {
  process.exitCode = 1;
  if (json) {
    printJson({ ambiguous: words, candidates: found });
    return;
  }
  say(`${JSON.stringify(words)} names more than one thing. Say more, or name one of these:`);
  print(summaryLines(found));
}
