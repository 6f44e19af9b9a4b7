import { booking } from '../crash/load.ts';
import { TALKATIVE } from './engine-dies.ts';
import { asked } from './load.ts';
import { type Cell, come, prove, said, type Trial } from './trial.ts';

const TIMES = 10;
const BOOKINGS = 40;

export const ARRIVALS: readonly Cell[] = [
  {
    id: 'R33',
    fault: 'each message ten times under one id, at the same time',
    expects: 'one row, one effect, nine that are known',
    cheap: true,
    run: tenTimes,
  },
  {
    id: 'R34',
    fault: 'the same id with another body',
    expects: 'refused as id-reused and kept beside, the first stands as it was',
    cheap: true,
    run: anotherBody,
  },
];

async function tenTimes(trial: Trial): Promise<void> {
  const place = await trial.open({ engines: 2, engine: TALKATIVE });
  const { world } = place;
  await world.start();
  await Promise.all(
    asked(BOOKINGS).map(async (plot) => {
      const [message] = booking(plot);
      const first = world.dawy.publish(message!);
      await Promise.all([first, ...Array.from({ length: TIMES - 1 }, () => world.dawy.repeat(message!.id))]);
    }),
  );
  await world.quiet();
  const known = (TIMES - 1) * BOOKINGS;
  await come('every repeat known as one', () => world.logged('message-duplicate').length >= known);
  trial.faults += world.logged('message-duplicate').length;
  prove(trial.faults === known, `${trial.faults} repeats were known, of ${known}`);
  const rows = await world.database.keptFrom('dawy-in');
  prove(rows === BOOKINGS, `${rows} rows for ${BOOKINGS} messages`);
  const { summary } = await trial.judge(place);
  prove(summary.effects === BOOKINGS, `${summary.effects} effects for ${BOOKINGS} messages`);
}

async function anotherBody(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  const first = asked(BOOKINGS).map((plot) => booking(plot)[0]!);
  await Promise.all(first.map((message) => world.dawy.publish(message)));
  const other = asked(BOOKINGS).map((plot, at) => ({ ...booking(plot)[0]!, id: first[at]!.id }));
  await Promise.all(other.map((message) => world.dawy.publish(message)));
  trial.faults += other.length;
  const refusals = () => place.number(`select count(*) from hisbridge.refusal where code = 'id-reused'`);
  await come('a refusal of each', async () => (await refusals()) === BOOKINGS);
  await world.quiet();
  await come('Dawy hearing of each', () => world.dawy.heard('message.refused') === BOOKINGS);
  const kept = await world.database.keptFrom('dawy-in');
  prove(kept === 2 * BOOKINGS, `${kept} messages are kept of ${2 * BOOKINGS}`);
  // What was refused went by the id of what was taken: of that id the checker is told only that it stands.
  const { events } = world.dawy;
  events.splice(0, events.length, ...events.filter(({ type }) => type !== 'message.refused'));
  prove(said(engine.lines, 'defect').length === 0, 'an engine found a defect');
  const { summary } = await trial.judge(place);
  prove(summary.effects === BOOKINGS, `${summary.effects} effects for ${BOOKINGS} bookings`);
}
