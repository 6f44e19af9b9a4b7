import { quiet } from './cpu.ts';
import { median, percent, table } from './figures.ts';
import type { Place } from './place.ts';
import { type Carried, carry, foreignPart, openStage, type Stage } from './round.ts';
import type { Profiling, SubjectName } from './subject.ts';

export interface Throughput {
  /** Conversations per second, medians. */
  readonly engine: number;
  readonly floor: number;
  /** Median of the engine's part of the floor, pair by pair. */
  readonly ratio: number;
  readonly ratioRange: readonly [number, number];
  /** The CPU a conversation of the floor takes in all processes, as a part of the engine's: hardly moved by what others do. */
  readonly cpuRatio: number;
  readonly rounds: readonly Pair[];
  /** CPU microseconds per conversation, medians. */
  readonly cpu: Readonly<Record<SubjectName, Readonly<Record<string, number>>>>;
}

interface Pair {
  readonly engine: number;
  readonly floor: number;
  readonly ratio: number;
  /** CPU seconds of processes that are not ours, as a part of the time both cores had. */
  readonly foreign: number;
}

/** So many conversations run before those that count. An engine runs for weeks, and V8 compiles for the first ten thousand or so. */
export const WARM_UP = 5_000;

export interface Measuring {
  readonly rounds: number;
  readonly conversations: number;
  readonly cores: number;
  /** How long a quiet machine is waited for before each round. Seconds. */
  readonly waitS: number;
}

/** Rounds of engine and floor in turn, each on an empty database of its own; who begins alternates. */
export async function measureThroughput(
  place: Place,
  { rounds, conversations, cores, waitS }: Measuring,
): Promise<Throughput> {
  const pairs: Pair[] = [];
  const spent = { engine: [] as Spent[], floor: [] as Spent[] };
  for (let round = 1; round <= rounds; round += 1) {
    const order: readonly SubjectName[] = round % 2 === 1 ? ['floor', 'engine'] : ['engine', 'floor'];
    const perSecond = { engine: 0, floor: 0 };
    let foreign = 0;
    for (const subject of order) {
      await quiet(waitS);
      const carried = await runRound(place, subject, `${subject}-${round}`, conversations);
      perSecond[subject] = conversations / carried.seconds;
      foreign = Math.max(foreign, foreignPart(carried, cores));
      spent[subject].push(spentOf(carried, conversations));
    }
    const pair = { ...perSecond, ratio: perSecond.engine / perSecond.floor, foreign };
    pairs.push(pair);
    console.log(
      `round ${round}: floor ${pair.floor.toFixed(0)}/s, engine ${pair.engine.toFixed(0)}/s, ratio ${pair.ratio.toFixed(3)}, foreign CPU ${percent(foreign)}`,
    );
  }
  const ratios = pairs.map(({ ratio }) => ratio);
  const cpu = { engine: mediansOf(spent.engine), floor: mediansOf(spent.floor) };
  return {
    engine: median(pairs.map(({ engine }) => engine)),
    floor: median(pairs.map(({ floor }) => floor)),
    ratio: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    cpuRatio: wholeOf(cpu.floor) / wholeOf(cpu.engine),
    rounds: pairs,
    cpu,
  };
}

/** What is done beside a round, with the warm-up behind it and before its stage is taken down. */
export interface Beside {
  readonly profile?: Profiling;
  readonly begin?: (stage: Stage) => Promise<void>;
  readonly end?: (stage: Stage) => Promise<void>;
}

/** One round on a stage of its own, after its warm-up. */
export async function runRound(
  place: Place,
  subject: SubjectName,
  label: string,
  conversations: number,
  { profile, begin, end }: Beside = {},
): Promise<Carried> {
  const stage = await openStage(place, { subject, label, profile: profile ?? null });
  try {
    await carry(stage, { prefix: 'BK-0-', count: WARM_UP, perSecond: null });
    // So that no checkpoint falls into one round and not into the other.
    await stage.ground.database.query('checkpoint');
    await begin?.(stage);
    const carried = await carry(stage, { prefix: 'BK-1-', count: conversations, perSecond: null });
    await end?.(stage);
    return carried;
  } finally {
    await stage.close();
  }
}

type Spent = Readonly<Record<string, number>>;

function spentOf({ cpu }: Carried, conversations: number): Spent {
  return Object.fromEntries(
    Object.entries(cpu).map(([part, seconds]) => [part, Math.round((seconds * 1e6) / conversations)]),
  );
}

function mediansOf(all: readonly Spent[]): Spent {
  const parts = new Set(all.flatMap((spent) => Object.keys(spent)));
  return Object.fromEntries([...parts].map((part) => [part, median(all.map((spent) => spent[part] ?? 0))]));
}

const OURS = ['subject', 'postgres', 'broker', 'hospital', 'dawy'];
const PARTS = [...OURS, 'foreign'];

function wholeOf(spent: Spent): number {
  return OURS.reduce((sum, part) => sum + (spent[part] ?? 0), 0);
}

export function printThroughput({ engine, floor, ratio, ratioRange, cpuRatio, cpu }: Throughput): void {
  const [least, most] = ratioRange;
  console.log(
    `\nthroughput (medians): floor ${floor.toFixed(0)}/s, engine ${engine.toFixed(0)}/s, ratio ${ratio.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`,
  );
  console.log(
    `\nCPU, microseconds per conversation (the floor's is ${cpuRatio.toFixed(3)} of the engine's):`,
  );
  table(
    ['', ...PARTS],
    (['floor', 'engine'] as const).map((name) => [name, ...PARTS.map((part) => `${cpu[name][part] ?? 0}`)]),
  );
}
