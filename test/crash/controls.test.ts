import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { World, type WorldOptions } from '../support/world.ts';
import type { Edits } from '../support/world-root.ts';
import type { Findings } from './checker.ts';
import { booking, type Plot, plots, publish, publishAgain } from './load.ts';
import { chance } from './random.ts';
import { say } from './verdict.ts';

/**
 * The checker against engines that lack one protection: a proof that cannot fail proves nothing. Each fault comes from
 * outside, as it does to a whole engine; what is missing must be found, under its own name.
 */
interface Control {
  readonly without: string;
  readonly options: WorldOptions;
  readonly run: (world: World) => Promise<void>;
  readonly finds: readonly (keyof Findings)[];
}

const ENGINE = fileURLToPath(new URL('engine-with.ts', import.meta.url));
const BOOKINGS = 60;
const without = (what: string, env: Readonly<Record<string, string>> = {}): WorldOptions => ({
  engine: () => ({ program: [ENGINE, '--without', what], env }),
});

/** The engine believes of stmary what is true of alnoor alone. */
const RECOGNIZED: Edits = [
  [['channels', 'stmary-out', 'repeats'], 'recognized'],
  [['channels', 'stmary-out', 'probe'], undefined],
];

const CONTROLS: readonly Control[] = [
  {
    without: 'the recognition of repeated arrivals',
    options: { engine: () => ({ program: [ENGINE], env: { CANARY: 'no-dedupe' } }) },
    finds: ['duplicateEffects', 'unknown'],
    async run(world) {
      await publish(world.dawy, plots(BOOKINGS, chance(1)), chance(1));
      await world.quiet();
      await publishAgain(world.dawy);
    },
  },
  {
    without: 'the question whether a hospital has it already',
    options: { edits: RECOGNIZED },
    finds: ['duplicateEffects'],
    async run(world) {
      await world.hospitals.stmary.break('reset-after', { rate: 0.3, seed: 1 });
      await publish(world.dawy, plots(BOOKINGS, chance(2)), chance(2));
    },
  },
  {
    without: 'lanes',
    options: without('no-lane-lock'),
    finds: ['lost', 'orderBreaks'],
    async run(world) {
      const stories = Array.from({ length: BOOKINGS }, (): Plot => ({ hospital: 'alnoor', story: 'moved' }));
      await world.hospitals.alnoor.break('slow', { delayMs: 300, operations: ['book'] });
      await publish(world.dawy, stories, chance(3));
    },
  },
  {
    without: 'editions written ahead',
    options: without('no-write-ahead', { HISBRIDGE_FAILPOINTS: 'M10:kill' }),
    finds: ['duplicateEffects'],
    async run(world) {
      const stories = Array.from(
        { length: BOOKINGS },
        (): Plot => ({ hospital: 'stmary', story: 'only asked' }),
      );
      await Promise.all(stories.map((story) => world.dawy.publish(booking(story)[0]!)));
      // It kills itself between the first answer and its settling, three times.
      const [engine] = world.engines;
      for (let starts = 0; starts < 3; starts += 1) {
        await engine!.ended();
        await engine!.launch({});
      }
      await engine!.ended();
      await engine!.start({ HISBRIDGE_FAILPOINTS: '' });
    },
  },
];

/** In a short run the one that costs least; all of them in a deep one. */
const RUN = process.env['DEEP'] === '1' ? CONTROLS : CONTROLS.slice(1, 2);

for (const { without: what, options, run, finds } of RUN) {
  describe(`the checker, with an engine without ${what}`, () => {
    let world: World;

    before(async () => {
      world = await World.open(options);
    });
    after(() => world.close());

    it(`finds ${finds.join(' or ')}`, async () => {
      await world.start();
      await run(world);
      await world.quiet();
      const { summary, ...found } = await world.check();
      const counts = Object.entries(found).map(([kind, list]) => `${kind} ${list.length}`);
      say(counts.join(', '));
      expect(summary.ok).to.equal(false);
      expect(finds.flatMap((kind) => found[kind as keyof typeof found])).to.not.deep.equal([]);
    });
  });
}
