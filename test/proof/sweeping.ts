import { publishTwoHundred } from './load.ts';
import { replayed } from './occasions.ts';
import { Place } from './place.ts';
import { FAULTS, type Fault, SWEEP } from './sweep.ts';
import { type Cell, come, prove, type Row, runCell, standing, type Trial } from './trial.ts';

/** Two hundred messages for each cell of the sweep. */
export const MESSAGES = 200;
/** How many places are at work at a time: most of its time a cell waits. */
const SIDE_BY_SIDE = 3;

/** A cell of the sweep, for the place it is given. */
interface SweepCell {
  readonly id: string;
  readonly moment: string;
  readonly fault: Fault;
}

/** Every cell of the sweep: `M9:kill`. */
export const SWEEP_CELLS: readonly SweepCell[] = Object.keys(SWEEP).flatMap((moment) =>
  FAULTS.map((fault) => ({ id: `${moment}:${fault}`, moment, fault })),
);

/** What a cell of the sweep is, in words. */
export function inWords({ moment, fault }: SweepCell): string {
  const { moment: words, [fault]: way } = SWEEP[moment]!;
  return `${fault}, ${words} (${way.how}): ${way.leadsTo}`;
}

/** A cell of the sweep in a place of its own, as any other cell. */
export function alone(cell: SweepCell): Cell {
  return {
    id: cell.id,
    fault: `${cell.fault}: ${SWEEP[cell.moment]!.moment}`,
    expects: SWEEP[cell.moment]![cell.fault].leadsTo,
    cheap: false,
    run: async (trial) => strikeOnce(cell, trial, await trial.open()),
  };
}

/**
 * Runs the whole sweep, some places at work side by side, each with cells one after the other. A place in which
 * something went wrong is given up. Every cell is told once.
 */
export async function sweep(seed: number, told: (row: Row) => void): Promise<void> {
  const left = [...SWEEP_CELLS];
  const work = async () => {
    let place: Place | null = null;
    for (let cell = left.shift(); cell !== undefined; cell = left.shift()) {
      const here: Place = place ?? (await Place.open());
      place = here;
      const next = cell;
      const row = await runCell({ id: next.id, run: (trial) => strikeOnce(next, trial, here) }, seed);
      told(row);
      if (row.failure === null) continue;
      place = null;
      await here.close();
    }
    await place?.close();
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
}

async function strikeOnce({ moment, fault }: SweepCell, trial: Trial, place: Place): Promise<void> {
  const { world, engine } = place;
  const way = SWEEP[moment]![fault];
  const since = await standing(place);
  const logged = (way.logs ?? []).map((event) => ({ event, before: world.logged(event).length }));
  const load = () => publishTwoHundred(place, trial.chance);
  await way.strike(trial.chance)({ place, engine, load });
  trial.faults += 1;
  await world.quiet();
  for (const { event, before } of logged)
    await come(`${event} in the log of an engine`, () => world.logged(event).length > before);
  if (way.person === 'replays') {
    const stopped = await world.database.stopped();
    prove(stopped.length === 1 && stopped[0]!.error === 'stage-crashed', 'one dead delivery was expected');
    await replayed(place, stopped[0]!.id);
    await world.quiet();
  }
  await trial.judge(place, fault === 'throw' ? { defects: /failpoint M\d+/ } : {}, since);
}
