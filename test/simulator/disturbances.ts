import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import { DEADLINE_MS } from './plans.ts';
import type { World } from './world.ts';

/** stmary is the one hospital that is asked. */
type Place = 'store' | 'broker' | 'dawy-out' | 'a hospital' | 'stmary';

/** What goes wrong for a while, now and then, at a place. */
interface Spell {
  readonly says: string;
  readonly at: Place;
  readonly ms: readonly [number, number];
  readonly rate: readonly [number, number];
}

/** What happens once. */
interface Blow {
  readonly says: string;
  /** `host` is where a process runs at that moment, if there is one. */
  readonly strike: (world: World, dice: Dice, host: Host | null) => void;
}

export const SPELLS = {
  'store refuses': {
    says: 'the database takes nothing: no disk, no rights',
    at: 'store',
    ms: [300, 6_000],
    rate: [0.3, 1],
  },
  'store slow': {
    says: 'every call to the database takes long',
    at: 'store',
    ms: [1_000, 12_000],
    rate: [0.3, 1],
  },
  'request lost': {
    says: 'the connection breaks before a statement arrives',
    at: 'store',
    ms: [500, 8_000],
    rate: [0.05, 0.5],
  },
  'reply lost': {
    says: 'the connection breaks after a COMMIT, before its reply',
    at: 'store',
    ms: [500, 8_000],
    rate: [0.05, 0.5],
  },
  'lookup fails': {
    says: 'a lost COMMIT cannot be looked up yet',
    at: 'store',
    ms: [2_000, 12_000],
    rate: [0.5, 1],
  },
  'batch met another': {
    says: 'a transaction meets another one and is run again',
    at: 'store',
    ms: [500, 8_000],
    rate: [0.1, 0.6],
  },
  'wake-up lost': { says: 'a notification never comes', at: 'store', ms: [2_000, 15_000], rate: [0.3, 1] },
  'wake-up twice': { says: 'a notification comes twice', at: 'store', ms: [2_000, 15_000], rate: [0.3, 1] },
  'acknowledgement lost': {
    says: 'the broker never sees an acknowledgement, and closes',
    at: 'broker',
    ms: [500, 5_000],
    rate: [0.05, 0.4],
  },
  'broker refuses': {
    says: 'nobody can connect to the queue',
    at: 'broker',
    ms: [1_000, 8_000],
    rate: [0.5, 1],
  },
  'publication returned': {
    says: 'no queue is bound for an event',
    at: 'dawy-out',
    ms: [500, 8_000],
    rate: [0.2, 1],
  },
  'publication refused': {
    says: 'a full queue refuses an event',
    at: 'dawy-out',
    ms: [500, 5_000],
    rate: [0.1, 0.7],
  },
  'publication lost': {
    says: 'an event is lost on its way, and so is its confirm',
    at: 'dawy-out',
    ms: [500, 5_000],
    rate: [0.1, 0.7],
  },
  'confirm lost': {
    says: 'an event is there, its confirm never comes',
    at: 'dawy-out',
    ms: [500, 5_000],
    rate: [0.1, 0.7],
  },
  'event twice': {
    says: 'the broker gives Dawy an event twice',
    at: 'dawy-out',
    ms: [1_000, 8_000],
    rate: [0.2, 0.8],
  },
  'exchange away': {
    says: 'the connection for events cannot be opened',
    at: 'dawy-out',
    ms: [1_000, 10_000],
    rate: [0.5, 1],
  },
  'hospital refuses': {
    says: 'a hospital refuses connections',
    at: 'a hospital',
    ms: [500, 10_000],
    rate: [0.3, 1],
  },
  'connecting slow': {
    says: 'to connect takes nearly as long as is waited',
    at: 'a hospital',
    ms: [500, 8_000],
    rate: [0.2, 0.8],
  },
  'hospital slow': {
    says: 'an answer takes nearly as long as is waited',
    at: 'a hospital',
    ms: [1_000, 10_000],
    rate: [0.2, 1],
  },
  'silent before': {
    says: 'a hospital never answers and does nothing',
    at: 'a hospital',
    ms: [500, 8_000],
    rate: [0.1, 0.7],
  },
  'silent after': {
    says: 'a hospital does it and never answers',
    at: 'a hospital',
    ms: [500, 8_000],
    rate: [0.1, 0.7],
  },
  'reset before': {
    says: 'the connection breaks, nothing was done',
    at: 'a hospital',
    ms: [500, 8_000],
    rate: [0.1, 0.7],
  },
  'reset after': {
    says: 'the connection breaks after it was done',
    at: 'a hospital',
    ms: [500, 8_000],
    rate: [0.1, 0.7],
  },
  busy: { says: 'a hospital says: not now', at: 'a hospital', ms: [500, 5_000], rate: [0.1, 0.8] },
  'busy for a while': {
    says: 'a hospital says when to come again',
    at: 'a hospital',
    ms: [500, 5_000],
    rate: [0.1, 0.8],
  },
  garbage: {
    says: 'it was done, and the answer cannot be read',
    at: 'a hospital',
    ms: [500, 6_000],
    rate: [0.1, 0.6],
  },
  'failed before': {
    says: 'a hospital fails and has done nothing',
    at: 'a hospital',
    ms: [500, 6_000],
    rate: [0.1, 0.6],
  },
  'failed after': {
    says: 'a hospital fails and has done it',
    at: 'a hospital',
    ms: [500, 6_000],
    rate: [0.1, 0.6],
  },
  late: {
    says: 'a hospital does it after nobody waits any more',
    at: 'a hospital',
    ms: [500, 6_000],
    rate: [0.1, 0.6],
  },
  'says wrong': {
    says: 'a hospital calls a request wrong',
    at: 'a hospital',
    ms: [300, 2_000],
    rate: [0.05, 0.3],
  },
  'finds it late': {
    says: 'a hospital that is asked does not find what is only seconds old',
    at: 'stmary',
    ms: [15_000, 40_000],
    rate: [0.5, 1],
  },
  'cannot say': {
    says: 'a hospital that is asked cannot say',
    at: 'stmary',
    ms: [15_000, 40_000],
    rate: [0.4, 0.9],
  },
} as const satisfies Readonly<Record<string, Spell>>;

export type SpellName = keyof typeof SPELLS;

/**
 * Instances live by the time of the database: one that has not beaten for a lease, and a send deadline on top, is taken
 * over. A jump forward beyond that deadline would take over who may still send, and nothing here could know.
 */
const DATABASE_JUMP_MS = DEADLINE_MS - 1_000;

export const BLOWS = {
  'process killed': {
    says: 'a process is killed and started anew',
    strike: (_world, dice, host) => host?.kill({ startsAfter: dice.between([200, 12_000]) }),
  },
  'machine lost': {
    says: 'a machine loses its power: nobody hears a goodbye',
    strike: (_world, dice, host) => host?.losePower({ startsAfter: dice.between([3_000, 30_000]) }),
  },
  'frozen shortly': {
    says: 'a process stands still, and wakes before anybody notices',
    strike: (_world, dice, host) => host?.freeze(dice.between([500, 9_000])),
  },
  'frozen long': {
    says: 'a process stands still until its work was taken over',
    strike: (_world, dice, host) => host?.freeze(dice.between([17_000, 45_000])),
  },
  'stopped in order': {
    says: 'a process is stopped in order and started anew',
    strike: (_world, dice, host) => host?.stop({ startsAfter: dice.between([200, 8_000]) }),
  },
  'another started': {
    says: 'one more process starts',
    strike: (world, dice) => world.addHost(dice),
  },
  'plan changed': {
    says: 'a running process gets another plan',
    strike: (world, dice, host) => host?.activate(dice.pick(world.planNames)),
  },
  'wall clock jumps': {
    says: 'the wall clock of a machine jumps, an hour at the most',
    strike: (_world, dice, host) => host?.jump(dice.between([-3_600_000, 3_600_000])),
  },
  'database clock jumps': {
    says: 'the clock of the database jumps, forward by less than a send may take',
    strike: (world, dice) => world.database.jump(dice.between([-9_000, DATABASE_JUMP_MS])),
  },
  'site asleep': {
    says: 'all machines stand still together, for minutes or hours',
    strike: (world, dice) => world.sleep(dice.pick([120_000, 1_200_000, 4_500_000])),
  },
  'database restarts': {
    says: 'the database crashes and comes back',
    strike: (world, dice) => world.database.crash(dice.between([200, 15_000])),
  },
  'database cut off': {
    says: 'a process loses its connections to the database',
    strike: (_world, dice, host) => host?.store?.cut(dice.between([100, 20_000])),
  },
  'database silent': {
    says: 'the network between a process and the database swallows everything',
    strike: (_world, dice, host) => host?.store?.silence(dice.between([1_000, 25_000])),
  },
  'session broken': {
    says: 'the connection breaks that shows a process alive',
    strike: (_world, dice, host) => host?.store?.breakSession(dice.between([1, 60])),
  },
  'queue cut off': {
    says: 'the broker closes the connection of the consumer',
    strike: (world, dice) => world.broker.cut(dice.between([1, 300])),
  },
  'given up': {
    says: 'the broker gives a message up: it comes by the dead-letter queue, late',
    strike: (world, dice) => world.broker.giveUp(dice),
  },
} as const satisfies Readonly<Record<string, Blow>>;

export type BlowName = keyof typeof BLOWS;

/** What Dawy does that it should not, or that looks like it. */
export const ODDITIES = {
  'published again': 'Dawy publishes the same bytes under the same id once more',
  'other body': 'Dawy publishes another body under an id it used before',
  'out of turn': 'Dawy asks what makes no sense for the booking',
  unreadable: 'Dawy publishes what is no JSON',
  'no hospital': 'Dawy names a hospital that nobody knows',
} as const;

export type OddityName = keyof typeof ODDITIES;

/** Where a spell may be cast. */
export function placesOf(spell: SpellName, hospitals: readonly string[]): readonly string[] {
  const { at }: Spell = SPELLS[spell];
  return at === 'a hospital' ? hospitals : [at];
}
