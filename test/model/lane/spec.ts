import fc from 'fast-check';
import { runs } from '../runs.ts';
import type { World } from '../worlds.ts';
import { Bench } from './bench.ts';
import { laneCommands, Model } from './commands.ts';

const WORKERS = 3;

/** Any sequence of what workers and persons do to lanes leaves every lane as the rule has it. */
export function describeLanes(
  name: string,
  open: () => Promise<World>,
  { count, deep, hasPerson }: { readonly count: number; readonly deep: number; readonly hasPerson: boolean },
): void {
  describe(`the lanes of ${name}`, function () {
    this.timeout(480_000);
    let world: World;
    let bench: Bench;

    before(async () => {
      world = await open();
      bench = await Bench.over(world, WORKERS);
    });
    after(() => world.close());

    it('are as the rule has them after every step', async () => {
      const commands = fc.commands(laneCommands(WORKERS, hasPerson), { maxCommands: 40, size: '+1' });
      await fc.assert(
        fc.asyncProperty(commands, (steps) =>
          fc.asyncModelRun(() => ({ model: new Model(), real: bench.anew() }), steps),
        ),
        runs(count, deep),
      );
    });
  });
}
