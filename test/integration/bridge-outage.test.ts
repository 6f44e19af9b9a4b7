import { expect } from 'chai';
import { cancelRequested, requested } from '../../sandbox/dawy/messages.ts';
import { TestNetwork } from '../support/bridge.ts';
import { until } from '../support/rabbitmq.ts';

describe('a hospital that is away', function () {
  this.timeout(60_000);
  let network: TestNetwork;

  before(async () => {
    network = await TestNetwork.open();
    await network.start();
  });

  after(() => network.close());

  const breakers = (channel: string) =>
    network.events.flatMap((event) =>
      event.kind === 'breaker-moved' && event.channel === channel ? [event.to] : [],
    );
  const stopped = () =>
    network.database.query(`select 1 from hisbridge.delivery where state in ('held', 'dead')`);

  it('is waited for without a dead letter, the other one goes on, and it gets everything when it is back', async () => {
    await network.stmary.control.break('down');
    const away = Array.from({ length: 20 }, () => network.wish('stmary'));
    const there = Array.from({ length: 20 }, () => network.wish('alnoor'));
    for (const wish of [...away, ...there]) await network.publish(requested(wish));
    for (const wish of away) await network.publish(cancelRequested(wish, 'waited too long'));
    for (const { reference } of there) await network.told(reference, 'booking.confirmed');
    await until(() => breakers('stmary-out').includes('open'));
    expect(breakers('alnoor-out')).to.deep.equal([]);
    expect(await stopped()).to.deep.equal([]);

    await network.stmary.control.heal();
    for (const { reference } of away) await network.told(reference, 'booking.cancelled');
    expect(breakers('stmary-out').slice(-2)).to.deep.equal(['half-open', 'closed']);
    for (const { reference } of away)
      expect(network.typesOf(reference)).to.deep.equal(['booking.confirmed', 'booking.cancelled']);
    expect(await stopped()).to.deep.equal([]);
    const counted = await network.database.query(
      `select 1 from hisbridge.delivery_ended where channel = 'stmary-out' and attempts > 0`,
    );
    expect(counted).to.deep.equal([]);
    const { duplicateEffects, active } = await network.stmary.control.status();
    expect({ duplicateEffects, active }).to.deep.equal({ duplicateEffects: 0, active: 0 });
  });

  it('lets Dawy know once that nobody answers in time, and what it says later still counts', async () => {
    await network.alnoor.control.break('down');
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    const waking = () =>
      network.database.query(
        `update hisbridge.booking set wake_at = now() - interval '1 minute' where reference = $1 and wake_at is not null
         returning version`,
        [wish.reference],
      );
    await until(async () => (await waking()).length === 1);
    const unanswered = await network.told(wish.reference, 'booking.unanswered');
    expect(unanswered.data.booking).to.deep.equal({
      reference: wish.reference,
      hospital: 'alnoor',
      state: 'requested',
    });

    await network.alnoor.control.heal();
    const confirmed = await network.told(wish.reference, 'booking.confirmed');
    expect(confirmed.data.booking).to.include({ state: 'confirmed', slotStart: wish.slot.start });
    expect(network.typesOf(wish.reference)).to.deep.equal(['booking.unanswered', 'booking.confirmed']);
  });

  it('is obeyed when it asks to wait, and that counts as an attempt', async () => {
    await network.alnoor.control.break('rate-limit', { times: 1, retryAfterSeconds: 1 });
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    await network.told(wish.reference, 'booking.confirmed');
    await network.quiet();
    const [ended] = await network.database.query(
      `select tries, attempts from hisbridge.delivery_ended where channel = 'alnoor-out' and booking_ref = $1`,
      [wish.reference],
    );
    expect(ended).to.deep.equal({ tries: 2, attempts: 1 });
  });

  it('has left no fault behind, and the ledger agrees', async () => {
    await network.quiet();
    expect(await network.faults()).to.deep.equal([]);
  });
});
