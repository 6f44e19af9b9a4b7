import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Mode } from '../../sandbox/hospitals/misbehaviour.ts';
import { plots, publish } from '../crash/load.ts';
import type { Chance } from '../crash/random.ts';
import type { EngineProcess } from '../support/world-engine.ts';
import type { LinkName, Place } from './place.ts';
import { type Cell, meanwhile, prove, type Trial } from './trial.ts';

export const NEMESIS: readonly Cell[] = [
  {
    id: 'R51',
    fault:
      'kills, freezes, cut and silent connections, hospitals that misbehave: one at a time and together, at random',
    expects: 'everything that must always be so; in the end it is quiet and nobody is needed',
    cheap: false,
    run: atRandom,
  },
];

const LINKS: readonly LinkName[] = ['database', 'broker', 'alnoor', 'stmary'];
const MODES: readonly Mode[] = [
  'silent',
  'silent-after',
  'slow',
  'reset-before',
  'reset-after',
  'late-answer',
  'other-answer',
  'garbage',
  'two-answers',
  'rate-limit',
];
/** The longest a silence or a freeze lasts but now and then, when it is longer than a lease. */
const SHORT_MS = 4_000;
const LONGER_THAN_A_LEASE_MS = 24_000;

/** How many blows are under way at a time. */
const AT_ONCE = 4;
const BOOKINGS_AT_A_TIME = 10;

/** One blow: begins, lasts, and ends with everything as it was. */
type Blow = (place: Place, chance: Chance) => Promise<void>;

const BLOWS: Readonly<Record<string, Blow>> = {
  async kill({ world }, chance) {
    await killed(oneOf(world.engines, chance), chance);
  },
  async 'kill all'({ world }, chance) {
    await Promise.all(world.engines.map((engine) => killed(engine, chance)));
  },
  async stop({ world }, chance) {
    const engine = oneOf(world.engines, chance);
    if (engine.frozen) return;
    await engine.stop();
    await startAgain(engine);
  },
  async freeze({ world }, chance) {
    const engine = oneOf(world.engines, chance);
    if (!engine.runs || engine.frozen) return;
    engine.freeze();
    await delay(lasting(chance));
    if (engine.runs) engine.wake();
  },
  async cut({ links }, chance) {
    links[oneOf(LINKS, chance)].reset();
  },
  async silence({ links }, chance) {
    const link = links[oneOf(LINKS, chance)];
    link.silence();
    await delay(lasting(chance));
    link.speak();
  },
  async 'plug out'({ links }, chance) {
    const link = links[oneOf(LINKS, chance)];
    await link.plugOut();
    await delay(chance.fraction() * SHORT_MS);
    await link.plugIn();
  },
  async 'cut one by one'({ links }, chance) {
    // Swizzled: links go in one order and come back in another.
    const gone = LINKS.filter(() => chance.hits(0.6));
    for (const name of gone) {
      await links[name].plugOut();
      await delay(chance.fraction() * 400);
    }
    for (const name of gone.toSorted(() => chance.fraction() - 0.5)) {
      await links[name].plugIn();
      await delay(chance.fraction() * 400);
    }
  },
  async 'end backends'(place, chance) {
    await place.ask(
      `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
        where datname = current_database() and application_name like 'hisbridge %' order by random() limit $1) doomed`,
      [1 + chance.below(6)],
    );
  },
  async misbehave({ world }, chance) {
    const hospital = chance.hits(0.5) ? world.hospitals.alnoor : world.hospitals.stmary;
    const mode = oneOf(MODES, chance);
    const options = {
      rate: 0.2 + chance.fraction() * 0.8,
      delayMs: 200 + chance.below(7_000),
      seed: chance.seed,
    };
    await hospital.break(mode, { ...options, forMs: 500 + chance.below(SHORT_MS) });
  },
};

async function atRandom(trial: Trial): Promise<void> {
  const minutes = Number(process.env['MINUTES'] ?? 1);
  const place = await trial.open({ engines: 2 });
  const { world } = place;
  await world.start();
  const { chance } = trial;
  const until = performance.now() + minutes * 60_000;
  const hits = new Map<string, number>();
  const loading = meanwhile(loadUntil(until, trial, place));
  const begun: Promise<void>[] = [];
  const under = new Set<Promise<void>>();
  while (performance.now() < until) {
    for (let blows = 1 + chance.below(3); blows > 0 && under.size < AT_ONCE; blows -= 1) {
      const name = oneOf(Object.keys(BLOWS), chance);
      const blow = meanwhile(BLOWS[name]!(place, chance));
      begun.push(blow);
      under.add(blow);
      blow.finally(() => under.delete(blow)).catch(() => undefined);
      hits.set(name, (hits.get(name) ?? 0) + 1);
      trial.faults += 1;
    }
    await delay(200 + chance.fraction() * 1_500);
    await Promise.all(world.engines.map(startAgain));
  }
  await Promise.all(begun);
  await loading;
  await healed(place);
  await world.quiet();
  trial.figure([...hits].map(([name, times]) => `${name} ${times}`).join(', '));
  await trial.judge(place, { deadlocks: 0 });
  prove(
    world.engines.every(({ runs }) => runs),
    'an engine ended by itself',
  );
}

/** A few bookings at a time, so that the end is not spent on a backlog. */
async function loadUntil(until: number, { chance }: Trial, { world }: Place): Promise<void> {
  while (performance.now() < until) {
    await publish(world.dawy, plots(BOOKINGS_AT_A_TIME, chance), chance, 4);
    await delay(400);
  }
}

async function healed({ world, links }: Place): Promise<void> {
  for (const link of Object.values(links)) {
    link.speak();
    await link.plugIn();
  }
  await world.heal();
  for (const engine of world.engines) {
    if (engine.frozen) engine.wake();
    if (!engine.runs) await engine.start();
  }
}

async function killed(engine: EngineProcess, chance: Chance): Promise<void> {
  await engine.kill();
  await delay(chance.fraction() * 1_000);
  await startAgain(engine);
}

/** How an engine ends that was killed, told to, told to before it listens for that, or began while something was away. */
const ENDS: ReadonlySet<string | null> = new Set([
  'signal SIGKILL',
  'exit code 0',
  'signal SIGTERM',
  'exit code 3',
]);

/** Starts it as often as it takes, which is what a supervisor does. One that ended by itself is a finding. */
async function startAgain(engine: EngineProcess): Promise<void> {
  if (engine.runs) return;
  prove(ENDS.has(engine.end), `an engine ended by itself with ${engine.end}:\n${engine.lastWords}`);
  await engine.launch({});
}

function lasting(chance: Chance): number {
  return chance.hits(0.1) ? LONGER_THAN_A_LEASE_MS : chance.fraction() * SHORT_MS;
}

function oneOf<Item>(items: readonly Item[], chance: Chance): Item {
  return items[chance.below(items.length)]!;
}
