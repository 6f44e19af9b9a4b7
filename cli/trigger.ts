import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Command } from 'commander';
import type { Office } from '../engine/bridge.ts';
import type { Trail } from '../engine/records.ts';
import { BOOKINGS } from '../sandbox/dawy/broker.ts';
import { openPublisher } from '../sandbox/dawy/publish.ts';
import { atBroker, brokerUrl } from './broker.ts';
import { countIn } from './given.ts';
import { examples, FOLDER } from './help.ts';
import { interrupted } from './interrupt.ts';
import { durationIn } from './messages.ts';
import { withOffice } from './office.ts';
import { type Change, changeIn, type Sample, sampleOf } from './sample.ts';
import { CALLED, print, printJson, say } from './terminal.ts';
import { trailLines } from './trail.ts';

interface Options {
  readonly config: string;
  readonly to: string;
  readonly set: readonly Change[];
  readonly count: string;
  readonly follow?: boolean;
  readonly for: string;
  readonly json?: boolean;
}

const LOOK_MS = 200;

/** `hisbridge trigger <type>`: publishes a message as Dawy would. */
export function trigger(): Command {
  const command = new Command('trigger')
    .description(
      'Publish a message as Dawy would, made from an example: with an id, a reference and a slot of its own.',
    )
    .argument('<type>', 'booking.requested, booking.reschedule-requested, booking.cancel-requested')
    .option('--to <hospital>', 'the hospital', 'alnoor')
    .option('--set <change>', 'change one place: /path=text or /path:=json; may be repeated', collect, [])
    .option('--count <n>', 'how many, each with its own id and reference', '1')
    .option('--follow', 'print the trail as it grows, until the booking is answered or stands still')
    .option('--for <duration>', 'how long to follow', '2m')
    .option(...FOLDER)
    .option('--json', 'print what was published as JSON lines')
    .action(run);
  return examples(
    command,
    [
      'hisbridge trigger booking.requested --to alnoor --follow',
      'hisbridge trigger booking.cancel-requested --to stmary --set /booking/reference=BK-7712 --follow',
      'hisbridge trigger booking.requested --to stmary --set /patient/name=',
      'hisbridge trigger booking.requested --count 100',
    ],
    'A changed booking needs --set /booking/reference=…: a fresh reference is known to nobody. Exit code 1 when what is followed ends refused, stands still or has not come to rest in time.',
  );
}

function collect(text: string, before: readonly Change[]): readonly Change[] {
  return [...before, changeIn(text)];
}

async function run(type: string, options: Options): Promise<void> {
  const { config, to, set, count, follow = false, json = false } = options;
  const many = countIn('--count', count);
  const waitMs = durationIn('--for', options.for);
  const samples = Array.from({ length: many }, () => sampleOf(config, type, to, set));
  await atBroker(() => publish(samples));
  for (const { id, reference, hospital } of samples) {
    if (json) printJson({ published: type, id, reference, hospital, exchange: BOOKINGS });
    else print([`published ${type} ${id} for ${reference} (${hospital}) to ${BOOKINGS}`]);
  }
  if (!follow) {
    if (!json) say(`Look: ${CALLED} show ${samples[0]?.reference}`);
    return;
  }
  const stopping = AbortSignal.any([interrupted(), AbortSignal.timeout(waitMs)]);
  await withOffice(async (office) => {
    for (const sample of samples) await followOne(office, sample, { stopping, json });
  });
}

async function publish(samples: readonly Sample[]): Promise<void> {
  const publisher = await openPublisher(brokerUrl());
  try {
    for (const { id, type, body } of samples) await publisher.publishBytes(body, { id, type });
  } finally {
    await publisher.close();
  }
}

interface Following {
  readonly stopping: AbortSignal;
  readonly json: boolean;
}

/** Prints the new lines of a trail until everything that followed from the message has come to rest. */
async function followOne(
  { records }: Office,
  { id, reference }: Sample,
  { stopping, json }: Following,
): Promise<void> {
  let shown = new Set<string>();
  let before: Trail | null = null;
  while (!stopping.aborted) {
    const [kept] = await records.find(id, [], 1);
    const trail = kept === undefined ? null : await records.trail({ message: kept.id });
    if (trail !== null) {
      if (!json) shown = printNew(trailLines(trail, false), shown);
      // A trail is read while it grows: only one that is the same twice is at rest.
      if (isDeepStrictEqual(trail, before) && rests(id, trail, json)) return;
    }
    before = trail;
    // Until the next look; an interrupt ends the wait.
    await pause(LOOK_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
  if (process.exitCode !== 130) sayStillMoving({ id, reference }, before, json);
}

/** The time is over, and that is all that is known. */
function sayStillMoving(
  { id, reference }: Pick<Sample, 'id' | 'reference'>,
  trail: Trail | null,
  json: boolean,
): void {
  if (json) printJson({ id, rests: 'moving', booking: trail?.booking?.state ?? null });
  else say(`It has not come to rest yet. Look: ${CALLED} show ${reference}`);
  process.exitCode = 1;
}

/** Whether nothing moves any more; then says so, and as exit code whether that was well. */
function rests(id: string, trail: Trail, json: boolean): boolean {
  const standing = restOf(trail);
  if (standing === 'moving') return false;
  if (standing === 'stopped') process.exitCode = 1;
  if (json) printJson({ id, rests: standing, booking: trail.booking?.state ?? null });
  return true;
}

function printNew(lines: readonly string[], shown: ReadonlySet<string>): Set<string> {
  print(lines.filter((line) => line !== '' && !shown.has(line)));
  return new Set([...shown, ...lines]);
}

/** Whether anything of a trail still moves. Dawy must have heard: its deliveries are part of it. */
export function restOf({ messages }: Trail): 'moving' | 'answered' | 'stopped' {
  const states = messages.flatMap(({ deliveries }) => deliveries.map(({ state }) => state));
  if (states.some((state) => state === 'waiting' || state === 'queued' || state === 'running'))
    return 'moving';
  const stands = states.some((state) => state === 'held' || state === 'dead');
  return stands || messages.some(({ refused }) => refused !== null) ? 'stopped' : 'answered';
}
