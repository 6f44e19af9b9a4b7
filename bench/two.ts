import { median } from './figures.ts';
import type { Place } from './place.ts';
import { carry, openStage } from './round.ts';
import { WARM_UP } from './throughput.ts';

export interface Two {
  /** Conversations per second, medians. */
  readonly one: number;
  readonly two: number;
  /** Median of two engines' part of one's, pair by pair. */
  readonly ratio: number;
  readonly ratioRange: readonly [number, number];
}

/** The same conversations by one engine and by two on one database, in turn; who begins alternates. */
export async function measureTwo(
  place: Place,
  { rounds, conversations }: { readonly rounds: number; readonly conversations: number },
): Promise<Two> {
  const pairs: { readonly one: number; readonly two: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const measured = [0, 0];
    for (const count of round % 2 === 1 ? [1, 2] : [2, 1])
      measured[count - 1] = await perSecond(place, count, `engines-${round}-${count}`, conversations);
    const [one = 0, two = 0] = measured;
    pairs.push({ one, two });
    console.log(`one engine ${one.toFixed(0)}/s, two ${two.toFixed(0)}/s, ratio ${(two / one).toFixed(3)}`);
  }
  const ratios = pairs.map(({ one, two }) => two / one);
  return {
    one: median(pairs.map(({ one }) => one)),
    two: median(pairs.map(({ two }) => two)),
    ratio: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
  };
}

async function perSecond(place: Place, count: number, label: string, conversations: number): Promise<number> {
  const stage = await openStage(place, { subject: 'engine', label, count });
  try {
    await carry(stage, { prefix: 'BK-0-', count: WARM_UP, perSecond: null });
    await stage.ground.database.query('checkpoint');
    const { seconds } = await carry(stage, { prefix: 'BK-1-', count: conversations, perSecond: null });
    return conversations / seconds;
  } finally {
    await stage.close();
  }
}

export function printTwo({ one, two, ratio, ratioRange: [least, most] }: Two): void {
  console.log(
    `\ntwo engines on one database (medians): one ${one.toFixed(0)}/s, two ${two.toFixed(0)}/s, ratio ${ratio.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`,
  );
}
