// `npm run proof`: cells of the reliability matrix, on a real broker and database of their own. Prints a row for each.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endProcessesOf, killProcessesOf } from '../../sandbox/launcher/processes.ts';
import { startPostgres } from '../../sandbox/servers/postgres.ts';
import { startRabbit } from '../../sandbox/servers/rabbitmq.ts';
import { warmUp } from '../support/world-engine.ts';
import { CELLS } from './cells.ts';
import { heading, lastLine, line } from './report.ts';
import { alone, inWords, SWEEP_CELLS, sweep } from './sweeping.ts';
import { type Cell, type Row, runCell } from './trial.ts';

const USAGE = `npm run proof -- --list                   what there is
npm run proof -- --cells R01,R16,M9:kill  these
npm run proof -- --sweep                  every moment with every fault
npm run proof -- --all                    every cell, and the sweep
  --seed N        the same chance again        --minutes N     how long R51 goes on`;

const { values } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    cells: { type: 'string' },
    sweep: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    seed: { type: 'string' },
    minutes: { type: 'string' },
  },
});

if (values.list) list();
else if (values.cells === undefined && !values.sweep && !values.all) {
  console.error(USAGE);
  process.exitCode = 2;
} else await prove();

function list(): void {
  for (const { id, fault, expects, cheap } of CELLS)
    console.log(`${id}${cheap ? '' : ' (long)'}  ${fault}\n     ${expects}`);
  for (const cell of SWEEP_CELLS) console.log(`${cell.id}  ${inWords(cell)}`);
}

async function prove(): Promise<void> {
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const chosen = chosenCells();
  if (chosen === null) {
    process.exitCode = 2;
    return;
  }
  const { minutes } = values;
  if (minutes !== undefined) process.env['MINUTES'] = minutes;
  const rows: Row[] = [];
  const told = (row: Row) => {
    rows.push(row);
    console.log(line(row, seed, minutes === undefined ? '' : ` --minutes ${minutes}`));
  };
  await withServers(async () => {
    console.log(`seed ${seed}`);
    console.log(heading());
    for (const cell of chosen) told(await runCell(cell, seed));
    if (values.sweep || values.all) await sweep(seed, told);
  });
  console.log(lastLine(rows));
  process.exitCode = rows.length > 0 && rows.every(({ failure }) => failure === null) ? 0 : 1;
}

/** `R49` stands for all of R49, `M9` for every fault at M9. Null when a name is nobody's. */
function chosenCells(): readonly Cell[] | null {
  if (values.all) return CELLS;
  const known = [...CELLS, ...SWEEP_CELLS.map(alone)];
  const named = (values.cells ?? '').split(',').filter(Boolean);
  const found = named.map((name) => known.filter(({ id }) => id === name || id.startsWith(`${name}:`)));
  const missing = named.filter((_, at) => found[at]?.length === 0);
  for (const name of missing) console.error(`there is no cell ${name}; see --list`);
  return missing.length > 0 ? null : found.flat();
}

/** With a broker and a database that nobody else uses, unless the environment names some. */
async function withServers(work: () => Promise<void>): Promise<void> {
  // The number and the prefix are those by which a run of the tests ends what a killed one has left.
  const folder = mkdtempSync(join(tmpdir(), `hisbridge-test-${process.pid}-`));
  chmodSync(folder, 0o711);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killProcessesOf(folder);
      rmSync(folder, { recursive: true, force: true });
      process.exit(130);
    });
  }
  const say = (words: string) => console.log(words);
  const stopping: (() => Promise<void>)[] = [];
  try {
    if (process.env['TEST_DATABASE_URL'] === undefined) {
      delete process.env['DATABASE_URL'];
      const database = await startPostgres(folder, say);
      stopping.push(() => database.stop());
      process.env['TEST_DATABASE_URL'] = database.url;
    }
    if (process.env['TEST_AMQP_URL'] === undefined) {
      delete process.env['AMQP_URL'];
      const broker = await startRabbit(folder, say);
      stopping.push(() => broker.stop());
      process.env['TEST_AMQP_URL'] = broker.url;
    }
    await warmUp(folder);
    await work();
  } finally {
    for (const stop of stopping.reverse()) await stop();
    await endProcessesOf(folder, 5_000);
    rmSync(folder, { recursive: true, force: true });
  }
}
