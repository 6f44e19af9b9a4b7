import fc from 'fast-check';
import { runs } from '../runs.ts';
import { Bench } from './bench.ts';
import { breakerCommands } from './commands.ts';
import { event, race } from './race.ts';
import { Gates } from './rule.ts';

const GATES = 2;

describe('two gates over one breaker', function () {
  this.timeout(480_000);

  it('stand as the rule has them after every step', async () => {
    const commands = fc.commands(breakerCommands(GATES), { maxCommands: 60, size: '+1' });
    await fc.assert(
      fc.asyncProperty(commands, (steps) =>
        fc.asyncModelRun(() => ({ model: new Gates(GATES), real: new Bench(GATES) }), steps),
      ),
      runs(500, 5_000),
    );
  });

  it('have one trial at a time and a way back, however their moves overtake each other', async () => {
    const events = fc.array(event, { minLength: 1, maxLength: 60, size: '+1' });
    await fc.assert(fc.asyncProperty(fc.scheduler(), events, race), runs(1_500, 10_000));
  });
});
