import { Command } from 'commander';
import { onlyNear } from '../engine/config/suggest.ts';
import { parseDuration } from '../engine/config/units.ts';
import { BridgeError } from '../engine/errors.ts';
import type { SystemName } from '../engine/message.ts';
import type { MessageFilter, MessageSummary } from '../engine/records.ts';
import { countIn } from './given.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { harmlessInLine } from './payload.ts';
import { columns, counted, print, printJson, say } from './terminal.ts';
import { timeOf } from './trail.ts';

interface Options {
  readonly since?: string;
  readonly type?: string;
  readonly hospital?: string;
  readonly state?: string;
  readonly limit: string;
  readonly json?: boolean;
}

const STATES = [
  'kept',
  'refused',
  'waiting',
  'queued',
  'running',
  'held',
  'dead',
  'delivered',
  'given-up',
  'superseded',
] as const;

/** `hisbridge messages list`: messages by what they have in common. */
export function messages(): Command {
  const list = new Command('list')
    .description('List messages, the newest first, with where each of their deliveries stands.')
    .option('--since <duration>', 'only what was kept since then: 30m, 2h, 7d')
    .option('--type <type>', 'only this type: booking.requested')
    .option('--hospital <name>', "only this hospital's")
    .option('--state <state>', `of the message or of a delivery of it: ${STATES.join(', ')}`)
    .option('--limit <count>', 'at most so many', '50')
    .option('--json', 'print the messages as JSON')
    .action(run);
  const command = new Command('messages').description('Find messages by what they have in common.');
  command.addCommand(
    examples(list, [
      'hisbridge messages list --since 2h',
      'hisbridge messages list --hospital stmary --state held',
      'hisbridge messages list --type booking.cancel-requested --limit 10 --json',
    ]),
  );
  return examples(command, ['hisbridge messages list --since 2h']);
}

async function run(options: Options): Promise<void> {
  const filter = filterOf(options);
  const found = await withOffice(({ records }) => records.list(filter));
  if (options.json) printJson(found);
  else {
    print(summaryLines(found));
    say(
      found.length === filter.limit
        ? `The newest ${found.length}; there may be more (--limit).`
        : `${counted(found.length, 'message')}.`,
    );
  }
}

function filterOf({ since, type, hospital, state, limit }: Options): MessageFilter {
  return {
    since: since === undefined ? null : new Date(Date.now() - durationIn('--since', since)),
    type: type ?? null,
    hospital: (hospital ?? null) as SystemName | null,
    state: stateIn(state),
    limit: countIn('--limit', limit),
  };
}

function stateIn(state: string | undefined): MessageFilter['state'] {
  if (state === undefined) return null;
  const known = STATES.find((one) => one === state);
  if (known !== undefined) return known;
  throw new BridgeError(
    'usage',
    `${state} is no state. ${onlyNear(state, STATES) ?? `There are ${STATES.join(', ')}.`}`,
  );
}

/** The milliseconds that an option says; throws `usage` with what to write. */
export function durationIn(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === null)
    throw new BridgeError('usage', `${option} ${text}: write a number and a unit: 500ms, 30s, 2h, 7d`);
  return ms;
}

/** One line for each message. */
export function summaryLines(found: readonly MessageSummary[]): readonly string[] {
  return columns(
    found.map(({ id, receivedAt, type, channel, hospital, booking, state, deliveries }) => [
      timeOf(receivedAt),
      id,
      harmlessInLine(type),
      channel,
      hospital,
      booking === null ? '-' : harmlessInLine(booking),
      state === 'refused'
        ? 'refused'
        : deliveries.map((one) => `${one.channel} ${one.state}`).join(', ') || 'kept, nothing to deliver',
    ]),
  );
}
