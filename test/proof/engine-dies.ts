import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Moment } from '../../engine/failpoint.ts';
import { CHECKOUT } from '../../sandbox/environment.ts';
import { SHORT_SENDS } from '../crash/frozen.ts';
import type { EngineMake } from '../support/world.ts';
import { settleFromJournal } from '../support/world-person.ts';
import type { Edits } from '../support/world-root.ts';
import { asked, publishOnce, publishTwoHundred, twoHundred } from './load.ts';
import type { Place } from './place.ts';
import { armed, caughtOn, dies, killed } from './strikes.ts';
import { answerOf } from './traps.ts';
import { type Cell, come, meanwhile, prove, said, type Trial, within } from './trial.ts';

/** An engine that also says what it recognizes as a repeat. */
export const TALKATIVE = (): EngineMake => ({
  program: [join(CHECKOUT, 'cli/hisbridge.ts'), 'run', '--metrics-port', '0', '--log-level', 'debug'],
});

/** A hospital that books again what it is sent again, and cannot be asked. */
export const UNSAFE: Edits = [
  [['channels', 'stmary-out', 'repeats'], 'unsafe'],
  [['channels', 'stmary-out', 'probe'], undefined],
];

const PREFETCH = 200;

export const ENGINE_DIES: readonly Cell[] = [
  {
    id: 'R01',
    fault: 'kill -9, kept and not acknowledged (M3)',
    expects: 'the broker brings it again, its id is known: one row, one effect',
    cheap: true,
    async run(trial) {
      const place = await trial.open({ engine: TALKATIVE });
      const { world, engine } = place;
      for (let kill = 0; kill < 3; kill += 1) {
        const load = () => publishOnce(place, twoHundred(trial.chance));
        await dies('M3', 20 + trial.chance.below(150))({ place, engine, load });
        trial.faults += 1;
        await world.quiet();
      }
      const kept = await world.database.keptFrom('dawy-in');
      prove(kept === world.dawy.published.length, `${kept} rows for ${world.dawy.published.length} messages`);
      await trial.judge(place);
      const repeats = world.logged('message-duplicate').length;
      trial.figure(`${repeats} repeats of the broker recognized`);
      prove(repeats > 0, 'nothing came twice: this proves nothing');
    },
  },
  {
    id: 'R02',
    fault: 'kill -9, the hospital has it and the answer is not seen (M9)',
    expects:
      'repeated under the same key and recognized; asked after; held for a person where neither can be',
    cheap: true,
    async run(trial) {
      await Promise.all([repeatedOrAsked(trial), heldWhereUnsafe(trial), nothingUnwritten(trial)]);
    },
  },
  {
    id: 'R03',
    fault: 'kill -9 fifty times at any moment',
    expects: 'working again within 5 s (p99), nothing lost',
    cheap: false,
    run: fiftyKills,
  },
  {
    id: 'R04',
    fault: 'SIGTERM under load',
    expects: 'nothing taken in after 1 s, ended within 20 s, no more brought again than was handed out',
    cheap: true,
    run: stoppedUnderLoad,
  },
  {
    id: 'R05',
    fault:
      'an engine frozen longer than its lease while settling, before sending, while publishing (M6, M7, M12)',
    expects: 'another takes over; the one that wakes is fenced and does nothing a second time',
    cheap: false,
    async run(trial) {
      await Promise.all((['M6', 'M7', 'M12'] as const).map((moment) => frozenAt(trial, moment)));
    },
  },
];

async function repeatedOrAsked(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  for (const hospital of ['alnoor', 'stmary'] as const) {
    const load = () => publishTwoHundred(place, trial.chance);
    await caughtOn(hospital, answerOf(5 + trial.chance.below(20)), killed)({ place, engine, load });
    trial.faults += 1;
    await world.quiet();
  }
  const { summary } = await trial.judge(place);
  prove(summary.recognizedRepeats > 0, 'alnoor never saw a repeat: this proves nothing');
  const questions = (await world.hospitals.stmary.journal()).filter(({ operation }) => operation === 'find');
  prove(questions.length > 0, 'stmary was never asked: this proves nothing');
  trial.figure(
    `alnoor recognized ${summary.recognizedRepeats} repeats, stmary was asked ${questions.length} times`,
  );
}

/** How long something that leaves too early has to show itself. */
const SHOWS_MS = 500;

/** An edition cannot be put on disk: nothing of it leaves, and what is killed then was never sent. */
async function nothingUnwritten(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine, links } = place;
  await engine.start();
  const writing = links.database.catch((_, from, { hello }) =>
    from === 'client' && hello.includes('hisbridge editions ') ? 0 : null,
  );
  await publishOnce(place, asked(10, 'stmary'));
  const caught = await within('an edition on its way to the disk', writing);
  await delay(SHOWS_MS);
  const sent = (await world.hospitals.stmary.journal()).length;
  await engine.kill();
  caught.reset();
  trial.faults += 1;
  prove(sent === 0, `${sent} were sent before their edition was on disk`);
  await engine.start();
  await world.quiet();
  await trial.judge(place);
}

async function heldWhereUnsafe(trial: Trial): Promise<void> {
  const place = await trial.open({ edits: UNSAFE });
  const { world, engine } = place;
  const load = () => publishTwoHundred(place, trial.chance);
  await caughtOn('stmary', answerOf(5 + trial.chance.below(20)), killed)({ place, engine, load });
  trial.faults += 1;
  await world.quiet();
  const held = await world.database.stopped();
  prove(held.length > 0, 'nothing is held: this proves nothing');
  await trial.judge(place, { stopped: ({ state, channel }) => state === 'held' && channel === 'stmary-out' });
  const journal = await world.hospitals.stmary.journal();
  const keys = journal.map(({ key }) => key);
  prove(new Set(keys).size === keys.length, 'something was sent to stmary twice');
  const { delivered, notTaken } = await settleFromJournal(world, held);
  trial.figure(`${held.length} held at an unsafe hospital: ${delivered} were there, ${notTaken} were not`);
  await world.quiet();
  await trial.judge(place, {}, { published: world.dawy.published.length, defects: 0, deadlocks: 0 });
}

const KILLS = 50;
const WORKING_P99_MS = 5_000;

async function fiftyKills(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  const took: number[] = [];
  const ready: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const publishing = meanwhile(publishTwoHundred(place, trial.chance));
    await delay(trial.chance.fraction() * 1_200);
    await engine.kill();
    trial.faults += 1;
    const before = await ended(place);
    const began = performance.now();
    await engine.start();
    ready.push(performance.now() - began);
    await come('the first delivery after a start', async () => (await ended(place)) > before);
    took.push(performance.now() - began);
    await publishing;
  }
  await world.quiet();
  await trial.judge(place);
  trial.figure(`from the start to ready, p50: ${percentile(ready, 0.5).toFixed(0)} ms`);
  trial.figure(`from the start to the first delivery, p50: ${percentile(took, 0.5).toFixed(0)} ms`);
  trial.took('from the start to the first delivery, p99', percentile(took, 0.99), WORKING_P99_MS);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function ended(place: Place): Promise<number> {
  return place.number('select count(*) from hisbridge.delivery_ended');
}

const STOPS_TAKING_MS = 1_000;
const ENDS_MS = 20_000;

async function stoppedUnderLoad(trial: Trial): Promise<void> {
  const place = await trial.open({ engine: TALKATIVE });
  const { world, engine } = place;
  await engine.start();
  for (const hospital of Object.values(world.hospitals)) await hospital.break('slow', { delayMs: 50 });
  // Longer than it runs: it is stopped in the middle of its intake.
  const publishing = meanwhile(
    (async () => {
      do await publishOnce(place, asked(20), 3);
      while (engine.runs);
    })(),
  );
  await come('work under way', async () => (await world.database.answered('alnoor-out')) >= 20);

  const began = performance.now();
  const stopping = engine.stop();
  trial.faults += 1;
  let kept = 0;
  let lastKeptMs = 0;
  while (engine.runs) {
    const now = await world.database.keptFrom('dawy-in');
    if (now > kept && kept > 0) lastKeptMs = performance.now() - began;
    kept = now;
    await delay(20);
  }
  await stopping;
  const endedMs = performance.now() - began;
  prove(engine.end === 'exit code 0', `it did not end in order: ${engine.end}`);
  trial.took('took arrivals in after SIGTERM for', lastKeptMs, STOPS_TAKING_MS);
  trial.took('ended after SIGTERM', endedMs, ENDS_MS);
  const running = await place.number(`select count(*) from hisbridge.delivery where state = 'running'`);
  prove(running === 0, `it left ${running} deliveries running`);

  await publishing;
  const left = world.dawy.published.length - kept;
  prove(left > 0, 'it was stopped when nothing came any more: this proves nothing');
  await world.heal();
  await engine.start();
  await world.quiet();
  const repeats = world.logged('message-duplicate').length;
  trial.figure(`${left} left to the next start, ${repeats} of them brought again`);
  prove(repeats <= PREFETCH, `${repeats} brought again, more than were handed out`);
  await trial.judge(place);
}

const BOOKINGS = 12;

async function frozenAt(trial: Trial, moment: Moment): Promise<void> {
  const place = await trial.open({ engines: 2, edits: SHORT_SENDS });
  const { world } = place;
  const [frozen, other] = world.engines as [(typeof world.engines)[number], (typeof world.engines)[number]];
  await armed(frozen, moment, 'stop', 3);
  await publishOnce(place, asked(BOOKINGS));
  await come(`an engine frozen at ${moment}`, () => frozen.frozen);
  trial.faults += 1;
  await other.start();
  await world.quiet();
  const done = await seen(place);
  frozen.wake();
  await within(`the fence at ${moment}`, fenced(frozen));
  const woken = await seen(place);
  prove(woken === done, `${woken - done} requests of an engine that had been taken over, after ${moment}`);
  await publishOnce(place, asked(BOOKINGS));
  await world.quiet();
  const after = await seen(place);
  trial.figure(
    `${moment}: ${said(frozen.lines, 'settle-fenced').length} settlements refused, ${after - done} requests of ${BOOKINGS} after it woke`,
  );
  await trial.judge(place);
}

async function fenced(engine: Place['engine']): Promise<void> {
  await come('an engine that finds out that it was declared lost', () => engine.count('instance-fenced') > 0);
}

/** How many requests the hospitals saw. */
async function seen({ world }: Place): Promise<number> {
  const journals = await Promise.all(Object.values(world.hospitals).map((hospital) => hospital.journal()));
  return journals.flat().length;
}
