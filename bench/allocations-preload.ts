/**
 * Loaded before the engine or the floor (`--import`) when its allocations are to be told: samples what is allocated
 * between SIGUSR2 and the end, also what was collected since, and writes it as a `.heapprofile`.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

const EVERY_BYTES = 16_384;

const file = process.env['BENCH_ALLOCATIONS'];
const session = new Session();
session.connect();

process.once('SIGUSR2', () => {
  session.post('HeapProfiler.startSampling', {
    samplingInterval: EVERY_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
});

process.on('exit', () => {
  // Answered at once: the session is to this very thread.
  session.post('HeapProfiler.stopSampling', (failed, said) => {
    if (failed === null && file !== undefined) writeFileSync(file, JSON.stringify(said.profile));
  });
});
