import { percent, quantile } from './figures.ts';
import type { Place } from './place.ts';
import { type Carried, carry, foreignPart, openStage } from './round.ts';
import type { SubjectName } from './subject.ts';
import { WARM_UP } from './throughput.ts';

export interface Latency {
  readonly perSecond: number;
  readonly messages: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The same of the floor, on the same machine right before: what of it is the machine. */
  readonly floorP50Ms: number;
  readonly floorP99Ms: number;
  /** CPU of processes that are not ours, as a part of what all cores had. */
  readonly foreign: number;
}

const PER_SECOND = 100;
const MESSAGES = 3_000;

/** From the publish of a request to its receipt by the hospital, at an even pace far below what can be carried. */
export async function measureLatency(place: Place, cores: number): Promise<Latency> {
  const floor = await evenly(place, 'floor');
  const engine = await evenly(place, 'engine');
  return {
    perSecond: PER_SECOND,
    messages: MESSAGES,
    p50Ms: quantile(between(engine), 0.5),
    p99Ms: quantile(between(engine), 0.99),
    maxMs: quantile(between(engine), 1),
    floorP50Ms: quantile(between(floor), 0.5),
    floorP99Ms: quantile(between(floor), 0.99),
    foreign: Math.max(foreignPart(engine, cores), foreignPart(floor, cores)),
  };
}

async function evenly(place: Place, subject: SubjectName): Promise<Carried> {
  const stage = await openStage(place, { subject, label: `${subject}-latency` });
  try {
    await carry(stage, { prefix: 'BK-0-', count: WARM_UP, perSecond: null });
    return await carry(stage, { prefix: 'BK-1-', count: MESSAGES, perSecond: PER_SECOND });
  } finally {
    await stage.close();
  }
}

function between({ published, received }: Carried): readonly number[] {
  const receivedAt = new Map(received.map(({ reference, atMs }) => [reference, atMs]));
  return published.map(({ reference, atMs }) => (receivedAt.get(reference) ?? Number.NaN) - atMs);
}

export function printLatency(latency: Latency): void {
  const { perSecond, messages, p50Ms, p99Ms, maxMs, floorP50Ms, floorP99Ms, foreign } = latency;
  console.log(
    `\nlatency, publish to hospital, ${messages} at ${perSecond}/s: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, longest ${maxMs.toFixed(0)} ms (floor: p50 ${floorP50Ms.toFixed(1)} ms, p99 ${floorP99Ms.toFixed(1)} ms), foreign CPU ${percent(foreign)}`,
  );
}
