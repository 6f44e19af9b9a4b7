import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { JournalLine } from '../../sandbox/hospitals/journal.ts';
import type { Mode } from '../../sandbox/hospitals/misbehaviour.ts';
import { SHORT_SENDS } from '../crash/frozen.ts';
import { settleFromJournal } from '../support/world-person.ts';
import { changeRoutes } from './edits.ts';
import { UNSAFE } from './engine-dies.ts';
import { asked, publishOnce } from './load.ts';
import type { Place } from './place.ts';
import { type Cell, come, prove, type Trial } from './trial.ts';

export const HOSPITAL: readonly Cell[] = [
  {
    id: 'R25',
    fault: 'a hospital refuses, resets, answers TLS with an alert, has no name',
    expects: 'its deliveries wait and none is dead; the other hospital notices nothing',
    cheap: false,
    run: cannotBeReached,
  },
  {
    id: 'R26',
    fault: 'a hospital takes requests and never answers, with the effect and without',
    expects: 'given up at the deadline; then repeated, asked after, or held where neither can be',
    cheap: true,
    async run(trial) {
      await Promise.all([neverAnswers(trial), neverAnswersUnsafe(trial)]);
    },
  },
  {
    id: 'R27',
    fault: 'a hospital answers after the deadline',
    expects: 'the late answer is nobody else’s; a repeat is known, or it is asked; one effect',
    cheap: true,
    run: answersLate,
  },
  {
    id: 'R28',
    fault: 'answers for another message, answers that cannot be read, two answers, an empty one',
    expects: 'never taken for the answer to ours; one effect, or a person',
    cheap: true,
    run: answersWrongly,
  },
];

/** How a hospital cannot be reached: broken by the first, well again by what that resolves with. */
const WAYS: Readonly<Record<string, (place: Place, trial: Trial) => Promise<() => Promise<void>>>> = {
  async 'connections refused'({ links }) {
    await links.alnoor.plugOut();
    return () => links.alnoor.plugIn();
  },
  async 'connections reset'({ world }) {
    await world.hospitals.alnoor.break('reset-before');
    return async () => void (await world.hospitals.alnoor.heal());
  },
  async 'a TLS alert'(place, trial) {
    const server = await alerting();
    trial.after(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    await changeRoutes(place, '${env:ALNOOR_URL}', `https://127.0.0.1:${port}`);
    return () => changeRoutes(place, `https://127.0.0.1:${port}`, '${env:ALNOOR_URL}');
  },
  async 'a name nobody knows'(place) {
    await changeRoutes(place, '${env:ALNOOR_URL}', 'http://alnoor.invalid');
    return () => changeRoutes(place, 'http://alnoor.invalid', '${env:ALNOOR_URL}');
  },
};

/** A server that answers whatever it hears with the TLS alert handshake_failure. */
async function alerting(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const EACH = 30;

async function cannotBeReached(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  let atStmary = 0;
  for (const [what, broken] of Object.entries(WAYS)) {
    const heal = await broken(place, trial);
    trial.faults += 1;
    const had = await world.database.answered('alnoor-out');
    await publishOnce(place, asked(2 * EACH));
    const began = performance.now();
    atStmary += EACH;
    await come('every answer of the other hospital', async () => {
      return (await world.database.answered('stmary-out')) === atStmary;
    });
    const tookMs = performance.now() - began;
    prove((await world.database.answered('alnoor-out')) === had, `${what}, and alnoor answered all the same`);
    trial.figure(`${what}: the other hospital's ${EACH} took ${tookMs.toFixed(0)} ms`);
    await heal();
    await world.quiet();
    await trial.judge(place, {}, { published: world.dawy.published.length, defects: 0, deadlocks: 0 });
  }
  await trial.judge(place);
}

const SILENT: readonly Mode[] = ['silent-after', 'silent'];
/** Fewer than open the breaker: this is about the answers, not about a hospital that is away. */
const TIMES = 3;

async function neverAnswers(trial: Trial): Promise<void> {
  const place = await trial.open({ edits: SHORT_SENDS });
  await misbehaving(place, trial, SILENT);
  const { summary } = await trial.judge(place);
  prove(summary.recognizedRepeats > 0, 'alnoor never saw a repeat: this proves nothing');
  trial.figure(`alnoor recognized ${summary.recognizedRepeats} repeats`);
}

async function neverAnswersUnsafe(trial: Trial): Promise<void> {
  const place = await trial.open({ edits: [...SHORT_SENDS, ...UNSAFE] });
  const { world, engine } = place;
  await engine.start();
  for (const mode of SILENT) {
    await world.hospitals.stmary.break(mode, { times: TIMES });
    await publishOnce(place, asked(20, 'stmary'));
    await world.quiet();
    trial.faults += TIMES;
  }
  const held = await world.database.stopped();
  prove(held.length === 2 * TIMES, `${held.length} are held of ${2 * TIMES}`);
  await trial.judge(place, { stopped: ({ state, error }) => state === 'held' && error === 'answer-timeout' });
  const { delivered } = await settleFromJournal(world, held);
  prove(delivered === TIMES, `${delivered} of the held were there, ${TIMES} should have been`);
  await world.quiet();
  trial.figure(`${held.length} held at an unsafe hospital, ${delivered} of them were there`);
  await trial.judge(place, {}, { published: world.dawy.published.length, defects: 0, deadlocks: 0 });
}

async function answersLate(trial: Trial): Promise<void> {
  const place = await trial.open({ edits: SHORT_SENDS });
  await misbehaving(place, trial, ['late-answer'], { delayMs: 1_400 });
  const { summary } = await trial.judge(place);
  prove(summary.recognizedRepeats > 0, 'alnoor never saw a repeat: this proves nothing');
  const late = (await journals(place)).filter(({ answer }) => answer.startsWith('late'));
  prove(late.length > 0, 'no answer was late: this proves nothing');
  trial.figure(`${late.length} answers came late, alnoor recognized ${summary.recognizedRepeats} repeats`);
}

async function answersWrongly(trial: Trial): Promise<void> {
  const place = await trial.open({ edits: SHORT_SENDS });
  const { world } = place;
  await misbehaving(place, trial, ['other-answer', 'garbage', 'two-answers', 'empty-answer']);
  const empty = (await world.hospitals.alnoor.journal()).filter(({ answer }) => answer.startsWith('empty'));
  const refused = await place.ask<{ booking: string; code: string }>(
    'select booking, code from hisbridge.refusal',
  );
  trial.figure(
    `${refused.length} answers stand before a person: ${[...new Set(refused.map(({ code }) => code))].join(', ')}`,
  );
  const unknownToDawy = empty
    .filter(({ reference }) => refused.some(({ booking }) => booking === reference))
    .map(({ reference }) => ({ reference: reference ?? '', type: 'booking.requested' }));
  await trial.judge(place, { settled: unknownToDawy });
  prove(
    refused.length === unknownToDawy.length,
    `${refused.length} answers were refused, ${unknownToDawy.length} of them were empty`,
  );
}

/** Both hospitals misbehave in each of these ways some times, one way after the other, under load. */
async function misbehaving(
  place: Place,
  trial: Trial,
  modes: readonly Mode[],
  options: { readonly delayMs?: number } = {},
): Promise<void> {
  const { world, engine } = place;
  await engine.start();
  for (const mode of modes) {
    for (const hospital of Object.values(world.hospitals))
      await hospital.break(mode, { ...options, times: TIMES, operations: ['book'] });
    await publishOnce(place, asked(60));
    await world.quiet();
    trial.faults += 2 * TIMES;
    const hit = (await journals(place)).filter(({ misbehaviour }) => misbehaviour === mode);
    prove(hit.length === 2 * TIMES, `${mode} happened ${hit.length} times, not ${2 * TIMES}`);
  }
}

async function journals({ world }: Place): Promise<readonly JournalLine[]> {
  const { alnoor, stmary } = world.hospitals;
  return [...(await alnoor.journal()), ...(await stmary.journal())];
}
