import { expect } from 'chai';
import { applyTopology, diffTopology, planTopology } from '../../channels/amqp/topology.ts';
import type { BridgeError } from '../../engine/errors.ts';
import type { RunningServer } from '../../sandbox/servers/server.ts';
import { depth, publishAll, testBroker, testConnection, unique } from '../support/rabbitmq.ts';

/** An inbound and an outbound channel whose names nobody else uses. */
function setting() {
  const foreign = unique('dawy.bookings');
  const queue = unique('hisbridge.bookings');
  const exchange = unique('his.events');
  const desired = planTopology([
    { direction: 'inbound', options: { queue, bind: { exchange: foreign, keys: ['booking.#'] } } },
    { direction: 'outbound', options: { exchange, exchangeType: 'topic' } },
  ]);
  return { foreign, queue, exchange, desired };
}

describe('channels/amqp topology on a real broker', function () {
  this.timeout(60_000);
  let broker: RunningServer;

  before(async () => {
    broker = await testBroker();
  });

  after(() => broker.stop());

  async function asDawy(exchange: string): Promise<void> {
    const connection = await testConnection(broker.url);
    const channel = await connection.createChannel();
    await channel.assertExchange(exchange, 'topic', { durable: true });
    await connection.close();
  }

  it('says what is missing, and changes nothing by asking', async () => {
    const { desired } = setting();
    const first = await diffTopology(broker.url, desired);
    expect(first.map(({ state }) => state)).to.deep.equal(Array(5).fill('missing'));
    expect(first.every(({ remedy }) => remedy !== '')).to.equal(true);
    expect(await diffTopology(broker.url, desired)).to.deep.equal(first);
  });

  it("declares nothing while another system's exchange is missing", async () => {
    const { desired, queue } = setting();
    const error = await applyTopology(broker.url, desired, { settleMs: 0 }).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    expect(error?.code).to.equal('topology-differs');
    const findings = await diffTopology(broker.url, desired);
    expect(findings.find(({ what }) => what === `queue ${queue}`)?.state).to.equal('missing');
  });

  it('declares what is missing, lets it settle, and finds nothing to do the second time', async () => {
    const { desired, foreign, queue } = setting();
    await asDawy(foreign);
    const waits: number[] = [];
    const clock = {
      now: () => new Date(),
      monotonicMs: () => performance.now(),
      alarm: () => () => undefined,
      sleep: async (ms: number) => {
        waits.push(ms);
      },
      turn: async () => undefined,
    };
    const findings = await applyTopology(broker.url, desired, { settleMs: 3000, clock });
    expect(findings.map(({ state }) => state)).to.deep.equal(['there', 'there', 'there', 'there', 'unseen']);
    expect(waits).to.deep.equal([3000]);
    await publishAll(broker.url, foreign, ['bound']);
    expect(await depth(broker.url, queue)).to.equal(1);
    expect(await applyTopology(broker.url, desired, { settleMs: 3000, clock })).to.deep.equal(findings);
    expect(waits).to.deep.equal([3000]);
    expect(await depth(broker.url, queue)).to.equal(1);
  });

  it('says why the broker refuses to declare, and that it is there', async () => {
    const { foreign } = setting();
    await asDawy(foreign);
    // Names that begin so are the broker's own: nobody may declare them, whatever their rights.
    const options = { queue: 'amq.bookings', bind: { exchange: foreign, keys: ['booking.#'] } };
    const desired = planTopology([{ direction: 'inbound', options }]);
    const error = await applyTopology(broker.url, desired, { settleMs: 0 }).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    expect(error?.code).to.equal('credentials-refused');
    expect(error?.message).to.match(/could not be declared: .*reserved prefix/);
  });

  it('finds a queue that another connection has for itself', async () => {
    const { desired, foreign, queue } = setting();
    await asDawy(foreign);
    const connection = await testConnection(broker.url);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { exclusive: true });
    const findings = await diffTopology(broker.url, desired);
    expect(findings.find(({ what }) => what === `queue ${queue}`)?.state).to.equal('differs');
    await connection.close();
  });

  it('finds a queue that was declared otherwise, and does not touch it', async () => {
    const { desired, foreign, queue } = setting();
    await asDawy(foreign);
    const connection = await testConnection(broker.url);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true });
    await connection.close();
    const findings = await diffTopology(broker.url, desired);
    expect(findings.find(({ what }) => what === `queue ${queue}`)?.state).to.equal('differs');
    const error = await applyTopology(broker.url, desired, { settleMs: 0 }).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    expect(error?.code).to.equal('topology-differs');
    expect(error?.message).to.include(queue);
  });

  it('says that the broker is away', async () => {
    const error = await diffTopology('amqp://127.0.0.1:1', setting().desired).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    expect(error?.code).to.equal('broker-unavailable');
  });
});
