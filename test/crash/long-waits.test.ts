import { World, type WorldOptions } from '../support/world.ts';
import { freezeOne, SHORT_SENDS } from './frozen.ts';
import { AWAY_SECONDS, takeStmaryAway } from './outage.ts';

// Most of their time they wait, each in a world of its own: so they wait together.
describe('what takes long', () => {
  const worlds: World[] = [];
  const begun = new Map<string, Promise<void>>();
  const begin = (name: string, options: WorldOptions, run: (world: World) => Promise<void>) => {
    const proven = World.open(options).then((world) => {
      worlds.push(world);
      return run(world);
    });
    // What fails early is told by the test that waits for it.
    proven.catch(() => undefined);
    begun.set(name, proven);
  };

  before(() => {
    begin('frozen', { engines: 2, edits: SHORT_SENDS }, freezeOne);
    begin('away', {}, takeStmaryAway);
  });
  after(async () => {
    await Promise.allSettled(begun.values());
    for (const world of worlds) await world.close();
  });

  it('an engine frozen right before it sends, longer than its lease, sends nothing when it wakes', () =>
    begun.get('frozen'));

  it(`stmary away for ${AWAY_SECONDS} s costs no dead letter and no order, and alnoor nothing`, () =>
    begun.get('away'));
});
