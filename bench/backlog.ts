import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Publishing } from './dawy.ts';
import type { Place } from './place.ts';
import { openStage } from './round.ts';

export interface Backlog {
  readonly waiting: number;
  /** The most memory the engine ever had: taking all in while the hospital is down, and delivering the first afterwards. */
  readonly rssMb: number;
  /** Kept per second with the hospital down. */
  readonly keptPerSecond: number;
  /** From the hospital's return to its first request, and to so many. */
  readonly firstMs: number;
  readonly delivered: number;
  readonly deliveredMs: number;
}

const DELIVERED = 2_000;
const LOOK_EVERY_MS = 50;
const WITHIN_MS = 240_000;

/** Lets `waiting` requests pile up before a hospital that is down, then brings it back. */
export async function measureBacklog(place: Place, waiting: number): Promise<Backlog> {
  const stage = await openStage(place, { subject: 'engine', label: 'engine-backlog' });
  try {
    const { ground, dawy, hospital } = stage;
    const [engine] = stage.subjects;
    await hospital.ask('away', true);
    const begin = performance.now();
    const publishing: Publishing = { prefix: 'BK-1-', count: waiting, perSecond: null };
    const published = dawy.ask('publish', publishing);
    await reaches(ground.database, `select count(*) as n from hisbridge.dedupe`, waiting);
    const keptPerSecond = (1_000 * waiting) / (performance.now() - begin);
    await published;
    const back = performance.now();
    await hospital.ask('away', false);
    const ended = `select count(*) as n from hisbridge.delivery_ended where channel = 'riverside-out'`;
    await reaches(ground.database, ended, 1);
    const firstMs = performance.now() - back;
    await reaches(ground.database, ended, Math.min(DELIVERED, waiting));
    return {
      waiting,
      rssMb: engine?.peakMb() ?? Number.NaN,
      keptPerSecond,
      firstMs,
      delivered: Math.min(DELIVERED, waiting),
      deliveredMs: performance.now() - back,
    };
  } finally {
    await stage.close();
  }
}

async function reaches(database: pg.Client, count: string, goal: number): Promise<void> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const { rows } = await database.query<{ n: string }>(count);
    if (Number(rows[0]?.n) >= goal) return;
    if (performance.now() > until) throw new Error(`${rows[0]?.n} of ${goal} in time: ${count}`);
    await delay(LOOK_EVERY_MS);
  }
}

export function printBacklog(backlog: Backlog): void {
  const { waiting, rssMb, keptPerSecond, firstMs, delivered, deliveredMs } = backlog;
  console.log(
    `\nbacklog of ${waiting}, hospital down: ${rssMb.toFixed(0)} MB at most, ${keptPerSecond.toFixed(0)} kept per second; back: the first after ${firstMs.toFixed(0)} ms, ${delivered} after ${deliveredMs.toFixed(0)} ms`,
  );
}
