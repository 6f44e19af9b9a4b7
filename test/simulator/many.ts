import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { CanaryName } from '../canaries/canary.ts';
import { play } from './history.ts';

export interface ManyOptions {
  readonly from: number;
  readonly count: number;
  readonly threads?: number;
  readonly canary?: CanaryName | null;
  /** So many failures are enough. */
  readonly most?: number;
}

/** A history in which something was that must not be. */
export interface Failure {
  readonly seed: number;
  readonly broken: string;
  readonly message: string;
}

/** What came of many histories. */
export interface Sum {
  histories: number;
  /** In the order of the seeds. */
  failures: Failure[];
  /** What happened, and in how many places. */
  seen: Map<string, number>;
  virtualMs: number;
  /** Of the process or thread that played them. */
  cpuMs: number;
}

interface Job {
  readonly seeds: readonly number[];
  readonly canary: CanaryName | null;
  readonly most: number;
}

/** A history lives for milliseconds: what it leaves is collected while it is young. */
const ROOM = { maxYoungGenerationSizeMb: 64 };

/** Plays histories of consecutive seeds, on some threads. */
export async function playMany(options: ManyOptions): Promise<Sum> {
  const { from, count, canary = null, most = Number.POSITIVE_INFINITY } = options;
  const threads = Math.min(options.threads ?? Math.min(2, availableParallelism()), count);
  // Turn by turn, so that the first failure is found soon wherever it is.
  const jobs = Array.from({ length: threads }, (_, thread): Job => {
    const seeds = Array.from({ length: count }, (__, at) => from + at).filter(
      (__, at) => at % threads === thread,
    );
    return { seeds, canary, most };
  });
  const sums = await Promise.all(jobs.map((job) => inThread(job)));
  const total = sums.reduce(addUp, nothing());
  total.failures.sort((one, other) => one.seed - other.seed);
  return total;
}

function inThread(job: Job): Promise<Sum> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job, resourceLimits: ROOM });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a thread of the simulator ended with ${code}`)));
  });
}

async function run({ seeds, canary, most }: Job): Promise<Sum> {
  const sum = nothing();
  const began = process.threadCpuUsage();
  for (const seed of seeds) {
    const { breach, seen, virtualMs } = await play(seed, { canary });
    sum.histories += 1;
    sum.virtualMs += virtualMs;
    for (const [what, count] of seen) sum.seen.set(what, (sum.seen.get(what) ?? 0) + count);
    if (breach === null) continue;
    sum.failures.push({ seed, broken: breach.broken, message: breach.message });
    if (sum.failures.length >= most) break;
  }
  const { user, system } = process.threadCpuUsage(began);
  sum.cpuMs = (user + system) / 1_000;
  return sum;
}

function nothing(): Sum {
  return { histories: 0, failures: [], seen: new Map(), virtualMs: 0, cpuMs: 0 };
}

function addUp(one: Sum, other: Sum): Sum {
  const seen = new Map(one.seen);
  for (const [what, count] of other.seen) seen.set(what, (seen.get(what) ?? 0) + count);
  return {
    histories: one.histories + other.histories,
    failures: [...one.failures, ...other.failures],
    seen,
    virtualMs: one.virtualMs + other.virtualMs,
    cpuMs: one.cpuMs + other.cpuMs,
  };
}

if (!isMainThread && parentPort !== null) {
  // Nobody reads the stacks of errors that are part of the play; what fails is played again with them.
  Error.stackTraceLimit = 0;
  parentPort.postMessage(await run(workerData as Job));
}
