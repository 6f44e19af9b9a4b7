import fc from 'fast-check';
import type { Store } from '../../../engine/store.ts';
import { runs } from '../runs.ts';
import type { World } from '../worlds.ts';
import { Bench } from './bench.ts';
import { editionCommands, Model } from './commands.ts';
import type { Repeats } from './rule.ts';

/** Whatever plans say and whatever befalls who sends, an edition stays what it was first, and is on disk before it leaves. */
export function describeEditions(
  name: string,
  open: () => Promise<World>,
  { count, deep, hasPerson }: { readonly count: number; readonly deep: number; readonly hasPerson: boolean },
): void {
  describe(`the editions of ${name}`, function () {
    this.timeout(480_000);
    let world: World;
    const stores: Store[] = [];

    before(async () => {
      world = await open();
      for (let n = 0; n < 2; n += 1) {
        const store = await world.open();
        await store.join();
        stores.push(store);
      }
    });
    after(() => world.close());

    for (const repeats of ['recognized', 'probe', 'unsafe'] satisfies Repeats[]) {
      it(`keep bytes and key, and change as the rule says, where repeats are ${repeats}`, async () => {
        const commands = fc.commands(editionCommands(hasPerson), { maxCommands: 40, size: '+1' });
        await fc.assert(
          fc.asyncProperty(commands, async (steps) => {
            const real = new Bench(world, stores, repeats);
            try {
              await fc.asyncModelRun(() => ({ model: new Model(), real }), steps);
            } finally {
              await world.clear();
            }
          }),
          runs(count, deep),
        );
      });
    }
  });
}
