import type { CanaryName } from '../canaries/canary.ts';
import { type Outcome, play } from './history.ts';

/** A failing history, cut to what is needed to see it fail. */
export interface Reproduction {
  readonly outcome: Outcome;
  /** The fewest of its acts, from the first, with which anything breaks. */
  readonly acts: number;
  readonly command: string;
}

/** Plays a failing seed with ever more of its acts until something breaks. */
export async function reproduce(seed: number, canary: CanaryName | null = null): Promise<Reproduction> {
  const whole = await play(seed, { canary });
  for (let acts = 0; acts < whole.acts.length; acts += 1) {
    const outcome = await play(seed, { acts, canary });
    if (outcome.breach !== null) return { outcome, acts, command: commandOf(seed, acts, canary) };
  }
  return { outcome: whole, acts: whole.acts.length, command: commandOf(seed, whole.acts.length, canary) };
}

/** What a person reads: what broke, what led there, and how to see it again. */
export function inWords({ outcome: { seed, breach, acts: planned }, acts, command }: Reproduction): string {
  const last = planned.slice(-12).map(({ at, says }) => `    ${at} ms  ${says}`);
  return [
    `seed ${seed}: ${breach?.message ?? 'nothing broke'}`,
    `  the shortest prefix that breaks has ${acts} acts, the last of them`,
    ...last,
    `  ${command}`,
  ].join('\n');
}

function commandOf(seed: number, acts: number, canary: CanaryName | null): string {
  const planted = canary === null ? '' : `CANARY=${canary} `;
  return `${planted}npm run simulate -- --seed ${seed} --acts ${acts}`;
}
