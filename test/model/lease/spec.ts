import fc from 'fast-check';
import { runs } from '../runs.ts';
import type { World } from '../worlds.ts';
import { Bench } from './bench.ts';
import { leaseCommands, Model } from './commands.ts';

const SEATS = 3;

/** Whatever befalls instances, what they own is theirs as long as nobody may take it over, and nobody's for longer. */
export function describeLeases(
  name: string,
  open: () => Promise<World>,
  { count, deep }: { readonly count: number; readonly deep: number },
): void {
  describe(`the instances of ${name}`, function () {
    this.timeout(480_000);
    let world: World;

    before(async () => {
      world = await open();
    });
    after(() => world.close());

    it('live, are lost and are taken over as the rule has it', async () => {
      const commands = fc.commands(leaseCommands(SEATS), { maxCommands: 30, size: '+1' });
      await fc.assert(
        fc.asyncProperty(commands, async (steps) => {
          const [model, real] = [new Model(SEATS), new Bench(world, SEATS)];
          try {
            // One more joins, or does not.
            for (let at = 0; at < SEATS - 1; at += 1) await real.join(at, model.sit(at));
            await fc.asyncModelRun(() => ({ model, real }), steps);
          } finally {
            await real.close();
          }
        }),
        runs(count, deep),
      );
    });
  });
}
