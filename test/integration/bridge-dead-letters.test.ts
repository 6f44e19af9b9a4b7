import { expect } from 'chai';
import { CATALOGUE, type ErrorCode } from '../../engine/errors.ts';
import { cancelRequested, requested } from '../../sandbox/dawy/messages.ts';
import { TestNetwork } from '../support/bridge.ts';
import { until } from '../support/rabbitmq.ts';

const SECRET = 'S3cr3tOfThePatient';

describe('what a hospital cannot be asked, or answers in vain', function () {
  this.timeout(30_000);
  let network: TestNetwork;

  before(async () => {
    network = await TestNetwork.open();
    await network.start();
  });

  after(() => network.close());

  /** Edits routes.yaml and resolves once it is in force. */
  async function edited(change: (text: string) => string): Promise<void> {
    const from = network.events.length;
    network.edit('routes.yaml', change);
    await until(() => network.events.slice(from).some(({ kind }) => kind === 'plan-activated'));
  }

  async function expectDead(reference: string, code: ErrorCode): Promise<void> {
    const { data } = await network.told(reference, 'dead-letter.opened');
    const { summary, remedy, owner } = CATALOGUE[code];
    expect(data.deadLetter).to.include({ state: 'dead', code, summary, remedy, owner });
    const rows = await network.database.query(
      'select state, error, head from hisbridge.delivery where id = $1',
      [data.id],
    );
    expect(rows).to.deep.equal([{ state: 'dead', error: code, head: true }]);
  }

  it('what the form of the hospital cannot carry is dead, and nothing of it is sent', async () => {
    const wish = network.wish('stmary', { note: `${SECRET}\0` });
    await network.publish(requested(wish));
    await expectDead(wish.reference, 'render-failed');
    const seen = (await network.stmary.control.journal()).filter(
      ({ reference }) => reference === wish.reference,
    );
    expect(seen).to.deep.equal([]);
  });

  it('a request the hospital calls wrong is dead; its booking waits behind it and no other does', async () => {
    const wish = network.wish('alnoor');
    await network.alnoor.control.break('wrong', { references: [wish.reference] });
    await network.publish(requested(wish));
    await network.publish(cancelRequested(wish, SECRET));
    await expectDead(wish.reference, 'request-refused');
    const other = network.wish('alnoor');
    await network.publish(requested(other));
    await network.told(other.reference, 'booking.confirmed');
    await network.alnoor.control.heal();
    const waiting = await network.database.query(
      `select state, head from hisbridge.delivery where booking_ref = $1 and channel = 'alnoor-out' order by seq`,
      [wish.reference],
    );
    expect(waiting).to.deep.equal([
      { state: 'dead', head: true },
      { state: 'waiting', head: false },
    ]);
    const lines = (await network.alnoor.control.journal()).filter(
      ({ reference }) => reference === wish.reference,
    );
    expect(lines.length).to.equal(1);
  });

  it('an answer that no line of the route maps is kept and told; the delivery still ends by its verdict', async () => {
    await edited((text) =>
      text.replace(
        '{ when: { /status: BOOKED }, event: booking.confirmed }',
        '{ when: { /status: HELD }, event: booking.confirmed }',
      ),
    );
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    const { data } = await network.told(wish.reference, 'message.refused');
    expect(data.refused).to.include({ channel: 'alnoor-out', code: 'answer-unmapped' });
    await network.quiet();
    const ended = await network.database.query(
      `select ended_as from hisbridge.delivery_ended where booking_ref = $1 and channel = 'alnoor-out'`,
      [wish.reference],
    );
    expect(ended).to.deep.equal([{ ended_as: 'delivered' }]);
    const [answer] = await network.database.query(
      `select cause is not null as caused, state, channel from hisbridge.message where id = $1`,
      [data.id],
    );
    expect(answer).to.deep.equal({ caused: true, state: 'refused', channel: 'alnoor-out' });

    // What the route cannot read today says nothing of the hospital's reference: a cancel has nothing to name.
    await network.publish(cancelRequested(wish, SECRET));
    await expectDead(wish.reference, 'fact-missing');
  });

  it('a cancel of a booking whose reference the hospital never gave is dead, and says what is missing', async () => {
    await edited((text) =>
      text
        .replace('{ when: { /status: HELD }', '{ when: { /status: BOOKED }')
        .replace('hospitalRef: /id,', 'hospitalRef: /nowhere,'),
    );
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    const confirmed = await network.told(wish.reference, 'booking.confirmed');
    expect(confirmed.data.booking).to.not.have.property('hospitalRef');
    await network.publish(cancelRequested(wish, SECRET));
    await expectDead(wish.reference, 'fact-missing');
  });

  it('never says a value of a message', async () => {
    await network.quiet();
    expect(network.heard.filter(({ text }) => text.includes(SECRET))).to.deep.equal([]);
    expect(network.log.filter((line) => line.includes(SECRET))).to.deep.equal([]);
    const words = await network.database.query<{ word: string | null }>(
      `select convert_from(substr(error_detail, 2), 'UTF8') as word from hisbridge.delivery where error is not null
       union all select summary from hisbridge.attempt`,
    );
    expect(words.length).to.be.above(0);
    expect(words.filter(({ word }) => word?.includes(SECRET))).to.deep.equal([]);
  });

  it('has left no fault behind, and the ledger agrees', async () => {
    expect(await network.faults()).to.deep.equal([]);
  });
});
