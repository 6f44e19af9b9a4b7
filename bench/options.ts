import { parseArgs } from 'node:util';
import type { SubjectName } from './subject.ts';

export const MEASUREMENTS = ['throughput', 'latency', 'backlog', 'claims', 'two'] as const;
export type Measurement = (typeof MEASUREMENTS)[number];

export interface Options {
  readonly only: readonly Measurement[];
  readonly rounds: number;
  readonly conversations: number;
  readonly quick: boolean;
  /** How long a quiet machine is waited for before each round. Seconds. */
  readonly waitS: number;
  /** Whose time is to be told, instead of measuring. */
  readonly profile: SubjectName | null;
  readonly of: 'cpu' | 'allocations' | 'statements';
}

const USAGE = `npm run bench -- [options]
  --quick               throughput alone: 2 rounds of 3 000 conversations; writes no results
  --only a,b            of ${MEASUREMENTS.join(', ')}
  --rounds N            pairs of rounds (5)
  --conversations N     of each round (10 000)
  --wait SECONDS        wait at most so long before each round for others to use little of the machine (0)
  --profile [floor]     where the time of the engine (or the floor) goes, instead of a measurement
  --allocations         with --profile: where memory is allocated, instead
  --statements          with --profile: what each statement costs PostgreSQL, instead`;

/** Exits with the usage when it is not understood. */
export function optionsFrom(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        conversations: { type: 'string' },
        wait: { type: 'string', default: '0' },
        profile: { type: 'boolean', default: false },
        allocations: { type: 'boolean', default: false },
        statements: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const { quick, only, rounds, conversations, profile, allocations, statements, wait } = values;
    return {
      quick,
      only: only === undefined ? (quick ? ['throughput'] : MEASUREMENTS) : measurementsIn(only),
      rounds: countIn(rounds, quick ? 2 : 5),
      conversations: countIn(conversations, quick ? 3_000 : 10_000),
      waitS: wait === '0' ? 0 : countIn(wait, 0),
      of: statements ? 'statements' : allocations ? 'allocations' : 'cpu',
      profile: profile || allocations || statements ? subjectIn(positionals) : null,
    };
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : thrown);
    console.error(USAGE);
    process.exit(2);
  }
}

function measurementsIn(text: string): readonly Measurement[] {
  return text.split(',').map((word) => {
    const known = MEASUREMENTS.find((name) => name === word);
    if (known === undefined) throw new RangeError(`${word} is none of ${MEASUREMENTS.join(', ')}`);
    return known;
  });
}

function subjectIn([word = 'engine']: readonly string[]): SubjectName {
  if (word !== 'engine' && word !== 'floor') throw new RangeError(`${word} is neither engine nor floor`);
  return word;
}

function countIn(text: string | undefined, otherwise: number): number {
  const count = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`${text} is no count`);
  return count;
}
