import type { CanaryName } from '../canaries/canary.ts';
import { type Act, scenarioOf } from './acts.ts';
import { isQuiet, judge } from './judge.ts';
import { Breach } from './watch.ts';
import { World } from './world.ts';

export interface HistoryOptions {
  /** Only so many of the acts; all of them when left out. */
  readonly acts?: number;
  readonly canary?: CanaryName | null;
}

/** What came of one history. */
export interface Outcome {
  readonly seed: number;
  /** What should not have been; null when all was well. */
  readonly breach: Breach | null;
  readonly hash: string;
  readonly lines: readonly string[];
  readonly acts: readonly Act[];
  readonly virtualMs: number;
  /** What happened, and how often. */
  readonly seen: ReadonlyMap<string, number>;
}

const LOOK_EVERY_MS = 1_000;
/** The longest anything waits once all is well is far less: leases, pauses of breakers, probes. */
const QUIET_WITHIN_MS = 600_000;

/** Plays one history: what was planned, then everything is well again, and it must come to rest. */
export async function play(
  seed: number,
  { acts: first, canary = null }: HistoryOptions = {},
): Promise<Outcome> {
  const { hosts, unknownForMs, acts } = scenarioOf(seed);
  const world = new World(seed, { hosts, unknownForMs, canary });
  const planned = acts.slice(0, first ?? acts.length);
  let breach: Breach | null = null;
  try {
    for (const act of planned) {
      world.timeline.at(act.at, () => {
        world.trace.add('act', act.says);
        act.run(world);
      });
    }
    await world.timeline.run((planned.at(-1)?.at ?? 0) + 500);
    await comeToRest(world);
    judge(world);
  } catch (thrown) {
    if (!(thrown instanceof Breach)) throw thrown;
    breach = thrown;
    world.trace.add('breach', thrown.message);
  }
  const seen = new Map(world.weather.seen);
  for (const [what, count] of world.watch.seen) seen.set(what, (seen.get(what) ?? 0) + count);
  return {
    seed,
    breach,
    acts: planned,
    seen,
    hash: world.trace.hash(),
    lines: world.trace.lines,
    virtualMs: world.timeline.now,
  };
}

async function comeToRest(world: World): Promise<void> {
  world.heal();
  const until = world.timeline.now + QUIET_WITHIN_MS;
  do {
    if (world.timeline.now > until) throw restless(world);
    await world.timeline.run(world.timeline.now + LOOK_EVERY_MS);
  } while (!isQuiet(world));
}

function restless({ hosts, broker, database }: World): Breach {
  const stopping = hosts
    .filter(({ stoppingSince }) => stoppingSince !== null)
    .map(({ name }) => `${name} still stops`);
  const down = hosts.filter(({ isRunning }) => !isRunning).map(({ name }) => `${name} is not up`);
  const rows = database.tables
    .inOrder()
    .map(
      ({ id, channel, state, owner, head, dueAt }) =>
        `${id} ${channel} ${state} ${owner} ${head} ${dueAt.toISOString()}`,
    );
  const how = [...stopping, ...down, `queue empty: ${broker.isEmpty}`, ...rows].join('; ');
  return new Breach(stopping.length > 0 ? 'a stop never ended' : 'never came to rest', how);
}
