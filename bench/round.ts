import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { type CpuSeconds, cpuBetween, cpuSeconds } from './cpu.ts';
import type { DawyNames, Heard, PublishedAt, Publishing } from './dawy.ts';
import type { Received } from './hospital.ts';
import type { Ground, Place } from './place.ts';
import { Remote } from './remote.ts';
import { type Profiling, type Subject, type SubjectName, startSubject } from './subject.ts';

/** One subject at work, with the world around it, all in processes of their own. */
export interface Stage {
  readonly ground: Ground;
  readonly subjects: readonly Subject[];
  readonly dawy: Remote;
  readonly hospital: Remote;
  readonly labels: ReadonlyMap<number, string>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly subject: SubjectName;
  readonly label: string;
  readonly profile?: Profiling | null;
  readonly count?: number;
}

/** Opens a stage on a ground of its own. */
export async function openStage(
  place: Place,
  { subject, label, profile = null, count = 1 }: StageOptions,
): Promise<Stage> {
  const { folder, brokerUrl } = place;
  const ground = await place.ground();
  const hospital = new Remote('hospital.ts', { name: `${label}-hospital`, folder });
  const dawy = new Remote('dawy.ts', { name: `${label}-dawy`, folder });
  const address = await hospital.ask<string>('listen');
  const names: DawyNames = { url: brokerUrl, bookings: ground.bookings, heard: ground.heard };
  await dawy.ask('open', names);
  const env = { ...ground.env, RIVERSIDE_URL: address };
  const subjects: Subject[] = [];
  for (let index = 0; index < count; index += 1) {
    const own = count === 1 ? label : `${label}-${index + 1}`;
    subjects.push(await startSubject(subject, { folder, env, label: own, profile }));
  }
  const labels = new Map([
    ...subjects.map(({ pid }): [number, string] => [pid, 'subject']),
    [dawy.pid, 'dawy'] as const,
    [hospital.pid, 'hospital'] as const,
  ]);
  return {
    ground,
    subjects,
    dawy,
    hospital,
    labels,
    async close() {
      await Promise.all(subjects.map((one) => one.stop()));
      await Promise.all([dawy.stop(), hospital.stop()]);
      await ground.remove();
    },
  };
}

/** What one publishing came to. */
export interface Carried {
  /** From the first publish to the last event heard and nothing left open in the database. */
  readonly seconds: number;
  readonly published: readonly PublishedAt[];
  readonly received: readonly Received[];
  readonly events: readonly Heard[];
  readonly cpu: CpuSeconds;
}

/** What others used of the machine meanwhile, as a part of what all its cores had: much of it, and the figures are worth little. */
export function foreignPart({ cpu, seconds }: Carried, cores: number): number {
  return (cpu['foreign'] ?? 0) / (seconds * cores);
}

const LOOK_EVERY_MS = 5;

/**
 * Publishes, waits for the end of every conversation, and looks whether it was one: each booking once at the hospital,
 * once among the events, and nothing open. Throws when it was not: a subject that does less has no speed.
 */
export function carry(stage: Stage, publishing: Publishing): Promise<Carried> {
  return Promise.race([carryAll(stage, publishing), ...stage.subjects.map(({ died }) => died)]);
}

async function carryAll({ ground, dawy, hospital, labels }: Stage, publishing: Publishing): Promise<Carried> {
  const before = cpuSeconds(labels);
  const hearing = dawy.ask<number>('hearing', publishing.count);
  const published = await dawy.ask<readonly PublishedAt[]>('publish', publishing);
  const lastHeardMs = await hearing;
  const settledMs = await nothingOpen(ground.database);
  const after = cpuSeconds(labels);
  const received = await hospital.ask<readonly Received[]>('received');
  const events = await dawy.ask<readonly Heard[]>('events');
  everyOneOnce(published, received, events);
  const begin = published[0]?.atMs ?? 0;
  const seconds = (Math.max(lastHeardMs, settledMs) - begin) / 1_000;
  return { seconds, published, received, events, cpu: cpuBetween(before, after) };
}

/** What is not settled when the last event is heard still has to be paid for. */
async function nothingOpen(database: pg.Client): Promise<number> {
  for (;;) {
    const at = Number(process.hrtime.bigint()) / 1e6;
    const { rows } = await database.query<{ open: boolean }>(
      'select exists (select 1 from hisbridge.delivery) as open',
    );
    if (rows[0]?.open === false) return at;
    await delay(LOOK_EVERY_MS);
  }
}

function everyOneOnce(
  published: readonly PublishedAt[],
  received: readonly Received[],
  events: readonly Heard[],
): void {
  const asked = new Set(published.map(({ reference }) => reference));
  const booked = new Set(received.map(({ reference }) => reference));
  const keys = new Set(received.map(({ key }) => key));
  const told = new Set(events.filter(({ type }) => type === 'booking.confirmed').map((one) => one.reference));
  const ids = new Set(events.map(({ id }) => id));
  const counts = [received.length, booked.size, keys.size, events.length, told.size, ids.size];
  const strangers = [...booked, ...told].filter((reference) => !asked.has(reference));
  if (strangers.length > 0 || counts.some((count) => count !== asked.size))
    throw new Error(
      `${asked.size} bookings became ${counts.join(', ')} (requests, bookings, keys, events, confirmed, ids)`,
    );
}
