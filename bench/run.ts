/** `npm run bench`: how fast the engine carries conversations, against a floor written by hand. See docs/bench.md. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureBacklog, printBacklog } from './backlog.ts';
import { measureClaims, printClaims } from './claims.ts';
import { bar } from './figures.ts';
import { measureLatency, printLatency } from './latency.ts';
import { type Options, optionsFrom } from './options.ts';
import { type Circumstances, Place } from './place.ts';
import { printAllocations, printCpu } from './profile.ts';
import { type Measured, writeResults } from './results.ts';
import { printStatements } from './statements.ts';
import { type Beside, measureThroughput, printThroughput, runRound } from './throughput.ts';
import { measureTwo, printTwo } from './two.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
/** The bars of the project. A result below one is said, and fails nothing: a machine may have had other things to do. */
const RATIO = 0.4;
const P50_MS = 15;
const P99_MS = 60;
const BACKLOG_MB = 250;

const BACKLOG = 100_000;
const OPEN = 1_000_000;
const TWO_ROUNDS = 5;

const options = optionsFrom(process.argv.slice(2));
mkdirSync(RESULTS, { recursive: true });

try {
  const place = await Place.open({ statements: options.of === 'statements' });
  const circumstances = await place.circumstances();
  console.log(
    Object.entries(circumstances)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  if (options.profile !== null) await profile(place);
  else await measure(place, circumstances);
  await place.close();
} catch (thrown) {
  console.error(thrown);
  process.exitCode = 1;
}
process.exit();

async function measure(place: Place, circumstances: Circumstances): Promise<void> {
  const measured: { -readonly [Name in keyof Measured]: Measured[Name] } = {};
  const bars: (() => void)[] = [];
  const cores = Number(circumstances['cores']);
  for (const name of options.only) {
    console.log(`\n=== ${name}`);
    switch (name) {
      case 'throughput': {
        const result = await measureThroughput(place, { ...options, cores });
        measured.throughput = result;
        printThroughput(result);
        bars.push(() => bar('ratio', result.ratio, '≥', RATIO));
        break;
      }
      case 'latency': {
        const result = await measureLatency(place, cores);
        measured.latency = result;
        printLatency(result);
        bars.push(() => bar('latency p50 ms', result.p50Ms, '≤', P50_MS, 1));
        bars.push(() => bar('latency p99 ms', result.p99Ms, '≤', P99_MS, 1));
        break;
      }
      case 'backlog': {
        const result = await measureBacklog(place, options.quick ? 10_000 : BACKLOG);
        measured.backlog = result;
        printBacklog(result);
        bars.push(() => bar('backlog MB', result.rssMb, '≤', BACKLOG_MB, 0));
        break;
      }
      case 'claims':
        measured.claims = await measureClaims(place, options.quick ? 100_000 : OPEN);
        printClaims(measured.claims);
        break;
      case 'two': {
        const result = await measureTwo(place, { ...options, rounds: Math.min(options.rounds, TWO_ROUNDS) });
        measured.two = result;
        printTwo(result);
        bars.push(() => bar('two engines against one', result.ratio, '≥', 1));
        break;
      }
    }
  }
  console.log('');
  for (const say of bars) say();
  if (isWhole(options))
    writeResults(
      RESULTS,
      { ...circumstances, rounds: options.rounds, conversations: options.conversations },
      measured,
    );
}

/** Results of a few short rounds would stand for more than they are. */
function isWhole({ quick, rounds, conversations }: Options): boolean {
  return !quick && rounds >= 5 && conversations >= 10_000;
}

async function profile(place: Place): Promise<void> {
  const subject = options.profile ?? 'engine';
  const { of, conversations } = options;
  const file = join(RESULTS, `${subject}.${of === 'cpu' ? 'cpuprofile' : 'heapprofile'}`);
  const beside: Record<Options['of'], Beside> = {
    cpu: { profile: { of: 'cpu', file } },
    allocations: {
      profile: { of: 'allocations', file },
      begin: async ({ subjects }) => subjects.forEach(({ pid }) => void process.kill(pid, 'SIGUSR2')),
    },
    statements: {
      begin: async () => void (await place.owner.query('select pg_stat_statements_reset()')),
      end: ({ ground }) => printStatements(place.owner, ground.database.database, conversations),
    },
  };
  const { seconds, cpu, published } = await runRound(
    place,
    subject,
    `${subject}-profile`,
    conversations,
    beside[of],
  );
  const each = (part: string) => `${((1e6 * (cpu[part] ?? 0)) / conversations).toFixed(0)} us`;
  console.log(
    `\n${subject}: ${(conversations / seconds).toFixed(0)}/s while being watched, CPU per conversation ${each('subject')}, of PostgreSQL ${each('postgres')}`,
  );
  const begin = published[0]?.atMs ?? 0;
  if (of === 'cpu') printCpu(file, begin, begin + 1_000 * seconds);
  if (of === 'allocations') printAllocations(file, conversations);
}
