import { expect } from 'chai';
import { BridgeError } from '../../../engine/errors.ts';
import type { DeliveryId } from '../../../engine/message.ts';
import { replay } from '../../../engine/operations/replay.ts';
import { settleByHand } from '../../../engine/operations/settle.ts';
import { Core, says } from '../core.ts';
import { DECISION, TestOffice } from './office.ts';

const AGAIN = { ...DECISION, outOfOrder: false, asNew: false };
const MINUTE_MS = 60_000;
/** What a booking asks for at 8:40 makes no sense after that. */
const NOT_AFTER = (routes: string): string => routes.replace('for: 1h', 'for: 1h, notAfter: /start');

describe('replaying', () => {
  let core: Core;
  let office: TestOffice;

  afterEach(() => core.engine.stop());

  /** The hospital called the request of A wrong at 8:00, and it is 8:10 now: dead. */
  async function dead(routes: (text: string) => string): Promise<DeliveryId> {
    const withVerdicts = (text: string) =>
      routes(text).replace('    maxInFlight: 2', '    maxInFlight: 2\n    verdicts: { wrong: wrong }');
    core = new Core({ routes: withVerdicts, hospital: () => says('NO', 'wrong') });
    office = new TestOffice(core, withVerdicts);
    await core.engine.start();
    await core.ask('A', 'booking.requested', 'A-1', '2026-11-01T08:40:00Z');
    await core.done();
    await core.clock.pass(10 * MINUTE_MS);
    return core.open[0]?.id as DeliveryId;
  }

  it('gives it the time of its route anew', async () => {
    const id = await dead((text) => text);
    await replay(office.parts, id, AGAIN);
    expect(office.replayed).to.deep.equal([{ id, ...AGAIN, giveUpAt: new Date('2026-11-01T09:10:00Z') }]);
  });

  it('never goes past the instant after which it makes no sense', async () => {
    const id = await dead(NOT_AFTER);
    await replay(office.parts, id, AGAIN);
    expect(office.replayed.map(({ giveUpAt }) => giveUpAt)).to.deep.equal([new Date('2026-11-01T08:40:00Z')]);
    await settleByHand(office.parts, id, { as: 'not-taken' }, DECISION);
    expect(office.untilWhen).to.deep.equal([new Date('2026-11-01T08:40:00Z')]);
  });

  it('refuses what would come too late', async () => {
    const id = await dead(NOT_AFTER);
    await core.clock.pass(30 * MINUTE_MS);
    const error = await replay(office.parts, id, AGAIN).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(BridgeError).and.include({ code: 'not-allowed' });
    expect(office.replayed).to.deep.equal([]);
  });
});
