import { join } from 'node:path';
import { CHECKOUT } from '../../sandbox/environment.ts';
import { runChild } from '../../sandbox/launcher/child.ts';
import { effects } from './journal.ts';
import type { World } from './world.ts';
import type { Stopped } from './world-database.ts';

/** How many commands run at a time. */
const HANDS = 3;

const REPORTS: Readonly<Record<string, string>> = {
  'booking.requested': 'booking.confirmed',
  'booking.reschedule-requested': 'booking.rescheduled',
  'booking.cancel-requested': 'booking.cancelled',
};

/** What a person said of the held deliveries, and how many there were. */
export interface Said {
  readonly delivered: number;
  readonly notTaken: number;
}

/**
 * A person who settles what is held by the command line: looks into the journal of the hospital for the key that was
 * sent, and says whether it is there.
 */
export async function settleFromJournal(world: World, held: readonly Stopped[]): Promise<Said> {
  const left = [...held];
  let delivered = 0;
  const work = async () => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      const hospital = one.channel === 'alnoor-out' ? 'alnoor' : 'stmary';
      const journal = await world.hospitals[hospital].journal();
      const done = effects(journal).find(({ key }) => key === one.key);
      if (done !== undefined) delivered += 1;
      const finding =
        done === undefined
          ? ['--as', 'not-taken']
          : ['--as', 'delivered', '--hospital-ref', `${done.hospitalRef}`, '--event', `${REPORTS[one.type]}`];
      await hisbridge(world, 'settle', one.id, ...finding, '--reason', 'looked into the journal');
    }
  };
  await Promise.all(Array.from({ length: HANDS }, work));
  return { delivered, notTaken: held.length - delivered };
}

/** Runs a command of `hisbridge` beside the engines of a world. Throws with what it printed when it fails. */
export function hisbridge(world: World, ...args: readonly string[]): Promise<string> {
  return runChild({
    name: `hisbridge ${args[0]}`,
    command: process.execPath,
    args: [join(CHECKOUT, 'cli/hisbridge.ts'), ...args, '-c', world.root],
    cwd: CHECKOUT,
    env: world.env,
    folder: world.folder,
  });
}
