// The one runner behind `npm test` and `npm run test:deep`: one private PostgreSQL and RabbitMQ for everything, then mocha.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startChild } from '../sandbox/launcher/child.ts';
import { endProcessesOf, isAlive, killProcessesOf, processesOf } from '../sandbox/launcher/processes.ts';
import { startPostgres } from '../sandbox/servers/postgres.ts';
import { startRabbit } from '../sandbox/servers/rabbitmq.ts';
import { addUp, type Counts, countsIn, inWords, NONE } from './counts.ts';
import { judge, judged } from './coverage/catches.ts';

interface Suite {
  readonly name: string;
  readonly specs: readonly string[];
  readonly ignored: readonly string[];
  readonly timeoutMs: number;
  /** The whole suite, or it is ended and counted as failed. */
  readonly limitMs: number;
  readonly env: Readonly<Record<string, string>>;
  /** Whether what it executes counts: in the end every handler of a failure must have been executed. */
  readonly isJudged: boolean;
}

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
const MOCHA = join(CHECKOUT, 'node_modules/mocha/bin/mocha.js');
const PREFIX = 'hisbridge-test-';
const MINUTE_MS = 60_000;
/** How long mocha may take to end after its last test: longer, and a test has left something open. */
const ENDS_WITHIN_MS = 20_000;

/** What runs side by side, one wave after the other: integration waits more than it works. */
type Waves = readonly (readonly Suite[])[];

/** What has a suite of its own. */
const ELSEWHERE = ['integration', 'crash', 'simulator', 'canaries', 'proof'].map((name) => `test/${name}/**`);
/** The crash tests that wait more than they work. */
const PATIENT = ['long-waits', 'kills-unsafe', 'commit-cut'].map((name) => `test/crash/${name}.test.ts`);

const WAVES: Waves = [
  [
    tests('unit, conformance', ['test/**/*.test.ts'], ELSEWHERE),
    tests('integration with a broker alone', ['test/integration/amqp-*.test.ts'], []),
    tests('integration', ['test/integration/*.test.ts'], ['test/integration/amqp-*.test.ts']),
    unjudged('the sandbox', ['test/integration/sandbox/*.test.ts']),
  ],
  [...crash({ KILLS: '5' }), histories({})],
];
const DEEP: Suite['env'] = { DEEP: '1' };
const DEEP_WAVES: Waves = [
  [...crash({ ...DEEP, KILLS: '20' }), { ...long('proof', ['test/proof/*.test.ts']), env: DEEP }],
  [histories(DEEP), { ...long('models, over PostgreSQL', ['test/integration/model-*.test.ts']), env: DEEP }],
];

function tests(name: string, specs: readonly string[], ignored: readonly string[]): Suite {
  return { name, specs, ignored, timeoutMs: 30_000, limitMs: 10 * MINUTE_MS, env: {}, isJudged: true };
}

/** What chance executes proves nothing, and who is killed leaves no report. */
function unjudged(name: string, specs: readonly string[]): Suite {
  return { ...tests(name, specs, []), isJudged: false };
}

function long(name: string, specs: readonly string[]): Suite {
  return { ...unjudged(name, specs), timeoutMs: 8 * MINUTE_MS, limitMs: 15 * MINUTE_MS };
}

/** Side by side: the one works, the other waits for leases to end and hospitals to come back. */
function crash(env: Suite['env']): readonly Suite[] {
  return [
    { ...long(`crash, ${env['KILLS']} kills`, ['test/crash/**/*.test.ts']), ignored: PATIENT, env },
    { ...long('crash, what takes long', PATIENT), env },
  ];
}

function histories(env: Suite['env']): Suite {
  return { ...long('simulated histories', ['test/simulator/*.test.ts', 'test/canaries/*.test.ts']), env };
}

await removeLeftovers();
const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
const reports = join(folder, 'coverage');
mkdirSync(reports);
/** Every process of a suite leaves what it executed; of code from a cache V8 cannot tell it. */
const JUDGED = { NODE_V8_COVERAGE: reports, NODE_DISABLE_COMPILE_CACHE: '1' };
const UNJUDGED = { NODE_V8_COVERAGE: null };
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killProcessesOf(folder);
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
}

const counts = await runAll(process.argv.includes('--deep') ? DEEP_WAVES : WAVES);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
console.log(`\n${inWords(counts)}`);

async function runAll(waves: Waves): Promise<Counts> {
  let total: Counts = NONE;
  try {
    const { servers, env } = await startServers();
    for (const wave of waves) total = addUp(total, await runWave(wave, env));
    await Promise.all(servers.map((server) => server.stop()));
    total = addUp(total, leftRunning());
    if (waves.some((wave) => wave.some(({ isJudged }) => isJudged))) total = addUp(total, unexecuted());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    total = addUp(total, { ...NONE, failed: 1 });
  } finally {
    await endProcessesOf(folder, 5_000);
    rmSync(folder, { recursive: true, force: true });
  }
  return total;
}

async function startServers() {
  // Never the servers somebody works with: those of the tests have names of their own.
  useOnly('DATABASE_URL', process.env['TEST_DATABASE_URL']);
  useOnly('AMQP_URL', process.env['TEST_AMQP_URL']);
  const log = (line: string) => console.log(line);
  const [database, broker] = await Promise.all([startPostgres(folder, log), startRabbit(folder, log)]);
  return {
    servers: [database, broker],
    env: { TEST_DATABASE_URL: database.url, TEST_AMQP_URL: broker.url },
  };
}

function useOnly(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** Runs suites side by side. Each is shown whole, one after the other. */
async function runWave(wave: readonly Suite[], env: Readonly<Record<string, string>>): Promise<Counts> {
  let shown: Promise<unknown> = Promise.resolve();
  const counted = wave.map((suite) => {
    const said: (() => void)[] = [];
    let show: (print: () => void) => void = (print) => {
      said.push(print);
    };
    const running = run(suite, env, (print) => show(print));
    shown = shown.then(() => {
      for (const print of said) print();
      show = (print) => print();
      return running;
    });
    return running;
  });
  const counts = await Promise.all(counted);
  await shown;
  return counts.reduce(addUp, NONE);
}

/** Runs mocha over a suite, shows what it prints, and counts. No counts, a late end or a signal is a failure too. */
async function run(
  suite: Suite,
  servers: Readonly<Record<string, string>>,
  show: (print: () => void) => void,
): Promise<Counts> {
  const { name, specs, ignored, timeoutMs, limitMs, env, isJudged } = suite;
  show(() => console.log(`\n=== ${name}`));
  const lines: string[] = [];
  let afterLast: NodeJS.Timeout | undefined;
  const mocha = startChild({
    name: 'mocha',
    command: process.execPath,
    args: [
      ...[MOCHA, '--no-config', '--timeout', `${timeoutMs}`, process.stdout.isTTY ? '--color' : '--no-color'],
      ...ignored.flatMap((pattern) => ['--ignore', pattern]),
      ...specs,
    ],
    cwd: CHECKOUT,
    folder,
    env: { ...servers, ...env, ...(isJudged ? JUDGED : UNJUDGED), DATABASE_URL: null, AMQP_URL: null },
    onLine(line) {
      show(() => console.log(line));
      lines.push(line);
      if (countsIn([line]) !== null)
        afterLast ??= setTimeout(() => end('did not end after its last test'), ENDS_WITHIN_MS);
    },
    onErrorLine: (line) => show(() => console.error(line)),
  });
  const limit = setTimeout(() => end(`took longer than ${limitMs / MINUTE_MS} minutes`), limitMs);
  const faults: string[] = [];
  function end(why: string): void {
    faults.push(why);
    void mocha.kill();
  }

  const { code, how } = await mocha.ended;
  clearTimeout(limit);
  clearTimeout(afterLast);
  const found = countsIn(lines);
  if (found === null) faults.push(`printed no counts (${how})`);
  else if (faults.length === 0 && code !== found.failed)
    faults.push(`ended with ${how}, but ${found.failed} tests failed`);
  for (const fault of faults) show(() => console.error(`${name}: mocha ${fault}.`));
  return addUp(found ?? NONE, { ...NONE, failed: faults.length });
}

/** What runs only when something fails, and ran in no process of the judged suites: each is a failed test. */
function unexecuted(): Counts {
  const { missing, count } = judge(judged(CHECKOUT), CHECKOUT, reports);
  console.log('\n=== what only a failure executes');
  for (const line of missing) console.error(line);
  console.log(count);
  return { ...NONE, passed: missing.length === 0 ? 1 : 0, failed: missing.length };
}

function leftRunning(): Counts {
  const left = processesOf(folder);
  for (const { pid, what } of left) console.error(`A test left a process running: ${pid} ${what}`);
  return { ...NONE, failed: left.length };
}

/** Ends what a run that was killed has left in the temporary folder. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    if (isAlive(Number(name.slice(PREFIX.length).split('-')[0]))) continue;
    const left = join(tmpdir(), name);
    await endProcessesOf(left, 5_000);
    rmSync(left, { recursive: true, force: true });
  }
}
