/** `npm run bench`: how fast the engine carries conversations, against a floor written by hand. See docs/bench.md. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bar } from './figures.ts';
import { optionsFrom } from './options.ts';
import { Place } from './place.ts';
import { printProfile } from './profile.ts';
import { measureThroughput, printThroughput, runRound } from './throughput.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const options = optionsFrom(process.argv.slice(2));
mkdirSync(RESULTS, { recursive: true });

try {
  const place = await Place.open();
  const circumstances = await place.circumstances();
  console.log(
    Object.entries(circumstances)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  if (options.profile !== null) await profile(place);
  else await measure(place, Number(circumstances['cores']));
  await place.close();
} catch (thrown) {
  console.error(thrown);
  process.exitCode = 1;
}
process.exit();

async function measure(place: Place, cores: number): Promise<void> {
  if (options.only.includes('throughput')) {
    const throughput = await measureThroughput(place, { ...options, cores });
    printThroughput(throughput);
    bar('ratio', throughput.ratio, '≥', 0.4);
  }
}

async function profile(place: Place): Promise<void> {
  const subject = options.profile ?? 'engine';
  const label = `${subject}-profile`;
  const { seconds, cpu, published } = await runRound(place, subject, label, options.conversations, RESULTS);
  console.log(
    `${subject}: ${(options.conversations / seconds).toFixed(0)}/s under the profiler, CPU ${((1e6 * (cpu['subject'] ?? 0)) / options.conversations).toFixed(0)} us per conversation`,
  );
  const begin = published[0]?.atMs ?? 0;
  printProfile(join(RESULTS, `${label}.cpuprofile`), begin, begin + 1_000 * seconds);
}
