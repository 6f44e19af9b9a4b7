import { Command } from 'commander';
import type { BreakerState } from '../engine/breaker.ts';
import type { Status } from '../engine/records.ts';
import { examples } from './help.ts';
import { withOffice } from './office.ts';
import { CALLED, coloured, columns, counted, print, printJson, span } from './terminal.ts';

/** After this long without a beat an instance counts as frozen. */
const FROZEN_MS = 15_000;

/** `hisbridge status`: one screen, and exit code 1 when something needs a person. */
export function status(): Command {
  const command = new Command('status')
    .description('Show on one screen how everything stands. Exit code 1 when something needs a person.')
    .option('--json', 'print it as JSON')
    .action(run);
  return examples(command, ['hisbridge status', 'hisbridge status --json']);
}

async function run({ json = false }: { readonly json?: boolean }): Promise<void> {
  const found = await withOffice(({ records }) => records.status());
  const needs = needsOf(found);
  if (json) printJson({ ...found, breakers: Object.fromEntries(found.breakers), needs });
  else print(statusLines(found, needs));
  if (needs.length > 0) process.exitCode = 1;
}

/** What needs a person, each as a sentence with the command that leads on. */
export function needsOf({ channels, refusals, ledger, instances, now }: Status): readonly string[] {
  const stopped = channels.reduce((sum, { counts }) => sum + counts.held + counts.dead, 0);
  const alive = instances.filter(({ beatAt }) => now.getTime() - beatAt.getTime() < FROZEN_MS);
  return [
    ...(stopped + refusals === 0
      ? []
      : [`${counted(stopped + refusals, 'dead letter')}: ${CALLED} dead-letters list`]),
    ...(ledger.promised === ledger.existing
      ? []
      : [`${ledger.promised} deliveries were promised and ${ledger.existing} exist: report it`]),
    ...(alive.length > 0 ? [] : [`no engine runs: ${CALLED} run`]),
  ];
}

/** The screen: what needs a person, the channels, the instances, the ledger. */
export function statusLines(found: Status, needs: readonly string[]): readonly string[] {
  const { channels, breakers, instances, ledger, now } = found;
  const head =
    needs.length === 0
      ? coloured('green', 'Nothing needs a person.')
      : `${coloured('red', 'NEEDS A PERSON')}  ${needs.join('; ')}`;
  const known = new Map(channels.map((one) => [one.channel, one]));
  const names = [...new Set([...known.keys(), ...breakers.keys()])].sort();
  const rows = names.map((name) => {
    const { counts, oldestAt } = known.get(name) ?? { counts: NONE, oldestAt: null };
    const oldest = oldestAt === null ? '-' : span(Math.max(0, now.getTime() - oldestAt.getTime()));
    const numbers = [counts.waiting, counts.queued, counts.running, counts.held, counts.dead].map(String);
    return [name, ...numbers, oldest, breakerWords(breakers.get(name), now)];
  });
  const beats = instances.map(({ id, beatAt, plan }) => [
    id,
    `beat ${span(Math.max(0, now.getTime() - beatAt.getTime()))} ago`,
    plan === null ? 'no plan yet' : `plan ${plan.slice(0, 12)}`,
  ]);
  return [
    head,
    '',
    ...(rows.length === 0 ? ['No channel has anything open.'] : columns([HEADS, ...rows])),
    '',
    ...columns([
      ['instances', counted(instances.length, 'instance')],
      ...beats.map((beat) => ['', beat.join(', ')]),
    ]),
    `ledger     ${ledger.promised} promised, ${ledger.existing} exist`,
  ];
}

const HEADS = ['channel', 'waiting', 'queued', 'running', 'held', 'dead', 'oldest', 'breaker'];
const NONE = { waiting: 0, queued: 0, running: 0, held: 0, dead: 0 };

function breakerWords(breaker: BreakerState | undefined, now: Date): string {
  if (breaker === undefined) return 'closed';
  const { state, reason, probeAt, paused } = breaker;
  if (paused !== null && (paused.until === null || paused.until > now)) {
    return `paused by ${paused.by}: ${paused.reason}`;
  }
  if (state === 'closed') return 'closed';
  const again = probeAt === null ? '' : `, tried in ${span(Math.max(0, probeAt.getTime() - now.getTime()))}`;
  return `${state}: ${reason ?? 'unknown'}${again}`;
}
