// Plays histories from the command line: many seeds, or one again with all that happened in it.
import { parseArgs } from 'node:util';
import { canaryOf } from '../canaries/canary.ts';
import { play } from './history.ts';
import { playMany } from './many.ts';
import { inWords, reproduce } from './reproduce.ts';

const USAGE = `npm run simulate -- --seeds 10000 [--from 1] [--threads 2]   play many histories
npm run simulate -- --seed 4711 [--acts 17] [--trace]        play one again
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    seed: { type: 'string' },
    acts: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seen: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const canary = canaryOf(process.env);
const say = (line: string) => void process.stdout.write(`${line}\n`);

if (values.help || (values.seeds === undefined && values.seed === undefined)) say(USAGE);
else if (values.seed !== undefined) process.exitCode = await one(Number(values.seed));
else process.exitCode = await many(Number(values.seeds), Number(values.from), Number(values.threads));

async function one(seed: number): Promise<number> {
  const first = values.acts === undefined ? {} : { acts: Number(values.acts) };
  const outcome = await play(seed, { ...first, canary });
  if (values.trace) for (const line of outcome.lines) say(line);
  const { breach, hash, acts, virtualMs } = outcome;
  say(`seed ${seed}: ${acts.length} acts, ${(virtualMs / 1_000).toFixed(1)} virtual seconds, trace ${hash}`);
  say(breach === null ? 'all was well' : breach.message);
  return breach === null ? 0 : 1;
}

async function many(count: number, from: number, threads: number): Promise<number> {
  const began = performance.now();
  const { histories, failures, seen, virtualMs, cpuMs } = await playMany({ from, count, threads, canary });
  const seconds = (performance.now() - began) / 1_000;
  say(
    `${histories} histories, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours, in ${seconds.toFixed(1)} s: ` +
      `${(histories / seconds).toFixed(0)} a second, ${(cpuMs / histories).toFixed(1)} ms of a core each`,
  );
  if (values.seen)
    for (const [what, times] of [...seen].toSorted(([, one], [, other]) => one - other))
      say(`  ${what}: ${times}`);
  for (const { seed } of failures.slice(0, 3)) say(inWords(await reproduce(seed, canary)));
  say(
    `${failures.length} failed${failures.length > 3 ? `: ${failures.map(({ seed }) => seed).join(' ')}` : ''}`,
  );
  return failures.length === 0 ? 0 : 1;
}
