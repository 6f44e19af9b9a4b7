import { performance } from 'node:perf_hooks';
import { SHORT_SENDS } from '../crash/frozen.ts';
import type { Plot } from '../crash/load.ts';
import { asked, publishOnce } from './load.ts';
import { type Cell, come, prove, type Trial } from './trial.ts';

/** What users of other engines suffered from, each once: the numbers are those of their issues. */
export const PEERS: readonly Cell[] = [
  {
    id: 'R49:1682',
    fault: 'a hospital is down while its 1 001st message comes',
    expects: 'none is skipped, none is dead',
    cheap: true,
    run: thousandAndFirst,
  },
  {
    id: 'R49:3366',
    fault: 'two engines start at once on the work of one that was killed',
    expects: 'nobody begins what another is recovering: no more repeats than were under way',
    cheap: true,
    run: startsAtOnce,
  },
  {
    id: 'R49:3133',
    fault: 'an engine is killed while requests, moves and cancels of many bookings wait in their lanes',
    expects: 'after the recovery each lane goes on in its order',
    cheap: true,
    run: lanesRecovered,
  },
  {
    id: 'R49:3089',
    fault: 'an engine starts with a backlog of 10 000',
    expects:
      'the backlog stays on disk: memory is that of an engine at work, and the first delivery comes within 5 s',
    cheap: false,
    run: backlogOnDisk,
  },
  {
    id: 'R49:1314',
    fault: 'a hospital answers everything late for a while',
    expects:
      'no flood: a repeat for each that was given up, at most one under way for each, none taken for another',
    cheap: true,
    run: noFlood,
  },
  {
    id: 'R49:prefix',
    fault: 'a second engine with another key on the same database and queue',
    expects: 'it is refused at its start: it would take no repeat for one',
    cheap: true,
    run: anotherKey,
  },
];

async function thousandAndFirst(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  await place.links.alnoor.plugOut();
  trial.faults += 1;
  await publishOnce(place, asked(1_005, 'alnoor'));
  await come('all of them kept', async () => (await world.database.keptFrom('dawy-in')) === 1_005);
  await place.links.alnoor.plugIn();
  await world.quiet();
  const { summary } = await trial.judge(place);
  prove(summary.effects === 1_005, `${summary.effects} effects for 1005 messages`);
}

const IN_FLIGHT = 8 + 4;

async function startsAtOnce(trial: Trial): Promise<void> {
  const place = await trial.open({ engines: 2 });
  const { world, engine } = place;
  await engine.start();
  for (const hospital of Object.values(world.hospitals))
    await hospital.break('late-answer', { delayMs: 1_500 });
  await publishOnce(place, asked(150));
  await come('work under way', async () => (await world.hospitals.alnoor.journal()).length >= 4);
  await engine.kill();
  trial.faults += 1;
  await world.heal();
  await Promise.all(world.engines.map((one) => one.start()));
  await world.quiet();
  const { summary } = await trial.judge(place);
  trial.figure(`${summary.recognizedRepeats} repeats recognized`);
  prove(summary.recognizedRepeats > 0, 'nothing under way was sent again: this proves nothing');
  prove(
    summary.recognizedRepeats <= IN_FLIGHT,
    `${summary.recognizedRepeats} repeats: more than were under way`,
  );
}

async function lanesRecovered(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  for (const hospital of Object.values(world.hospitals)) await hospital.break('slow', { delayMs: 300 });
  const stories = Array.from({ length: 50 }, (_, at): Plot => {
    return { hospital: at % 2 === 0 ? 'alnoor' : 'stmary', story: 'moved and cancelled' };
  });
  await publishOnce(place, stories);
  const waiting = () => place.number(`select count(*) from hisbridge.delivery where state = 'waiting'`);
  await come('lanes with deliveries that wait', async () => (await waiting()) >= 50);
  await engine.kill();
  trial.faults += 1;
  trial.figure(`${await waiting()} waited in their lanes`);
  await engine.start();
  await world.heal();
  await world.quiet();
  const { summary } = await trial.judge(place);
  prove(summary.effects === 150, `${summary.effects} effects for 150 messages`);
}

const BACKLOG = 10_000;
const MORE_MEGABYTES = 100;
const FIRST_DELIVERY_MS = 5_000;

async function backlogOnDisk(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  // Slow, not away: with the breaker open it would be the pause that is measured.
  for (const hospital of Object.values(world.hospitals)) await hospital.break('slow', { delayMs: 2_000 });
  await engine.start();
  await publishOnce(place, asked(BACKLOG), 200);
  await come('the backlog kept', async () => (await world.database.keptFrom('dawy-in')) === BACKLOG, 120_000);
  await engine.kill();
  trial.faults += 1;
  await world.heal();
  const before = await world.database.answered('alnoor-out');
  const began = performance.now();
  await engine.start();
  const ready = engine.peakMegabytes;
  trial.figure(`ready ${(performance.now() - began).toFixed(0)} ms after the start`);
  await come('the first delivery', async () => (await world.database.answered('alnoor-out')) > before);
  const firstMs = performance.now() - began;
  await come(
    'a tenth of it delivered',
    async () => {
      return (await world.database.answered('alnoor-out')) >= BACKLOG / 10;
    },
    120_000,
  );
  const more = engine.peakMegabytes - ready;
  trial.figure(`${more.toFixed(0)} MB more than when ready`);
  prove(more <= MORE_MEGABYTES, `${more.toFixed(0)} MB more than when ready`);
  trial.took('first delivery after the start', firstMs, FIRST_DELIVERY_MS);
  await world.quiet();
  await trial.judge(place);
}

async function noFlood(trial: Trial): Promise<void> {
  const place = await trial.open({ edits: SHORT_SENDS });
  const { world, engine } = place;
  await engine.start();
  await world.hospitals.alnoor.break('late-answer', { delayMs: 1_300, forMs: 3_000 });
  await publishOnce(place, asked(80, 'alnoor'));
  await world.quiet();
  const journal = await world.hospitals.alnoor.journal();
  const late = journal.filter(({ answer }) => answer.startsWith('late')).length;
  const { summary } = await trial.judge(place);
  trial.figure(`${late} answers came late, ${summary.recognizedRepeats} repeats for them`);
  trial.faults += late;
  prove(summary.recognizedRepeats > 0, 'nothing was sent again: this proves nothing');
  prove(summary.recognizedRepeats <= late, `${summary.recognizedRepeats} repeats for ${late} late answers`);
}

async function anotherKey(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  await publishOnce(place, asked(20));
  await world.quiet();
  const other = world.addEngine({
    env: { HISBRIDGE_DIGEST_KEY: 'another key of the tests, as long as it must be' },
  });
  const words = await other.launch({});
  trial.faults += 1;
  prove(words !== null, 'an engine with another key began to work');
  prove(
    words.some((text) => text.includes('HISBRIDGE_DIGEST_KEY')),
    `it does not say why: ${words.join(' ')}`,
  );
  await trial.judge(place);
}
