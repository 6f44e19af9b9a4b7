import { expect } from 'chai';
import { Consumption } from '../../channels/amqp/consumption.ts';
import { AmqpInbound } from '../../channels/amqp/inbound.ts';
import type { Accept, Arrival, Receipt } from '../../engine/channel.ts';
import { SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName, MessageId } from '../../engine/message.ts';
import type { RunningServer } from '../../sandbox/servers/server.ts';
import {
  contextFor,
  depth,
  prepare,
  publishAll,
  testBroker,
  testConnection,
  unique,
  until,
} from '../support/rabbitmq.ts';

const NAME = 'dawy-in' as ChannelName;
const ID = 'kept' as MessageId;
const ACCEPTED: Receipt = { kind: 'accepted', id: ID };

function bodyOf({ body }: Arrival): string {
  return Buffer.from(body).toString();
}

function numbered(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${from + index}`);
}

/** One queue with Dawy's exchange in front of it, and the channel that consumes it. */
function setting(prefetch = 400) {
  const exchange = unique('dawy');
  const queue = unique('hisbridge.bookings');
  const options = { queue, bind: { exchange, keys: ['booking.#'] }, prefetch };
  return { exchange, queue, options, channels: [{ direction: 'inbound' as const, options }] };
}

describe('channels/amqp inbound on a real broker', function () {
  this.timeout(60_000);
  let broker: RunningServer;
  let running: AmqpInbound[] = [];

  before(async () => {
    broker = await testBroker();
  });

  after(() => broker.stop());

  afterEach(async () => {
    await Promise.all(running.map((channel) => channel.stop()));
    running = [];
  });

  async function start(
    options: ConstructorParameters<typeof AmqpInbound>[1],
    accept: Accept,
    overrides: Parameters<typeof contextFor>[1] = {},
  ): Promise<AmqpInbound> {
    const channel = new AmqpInbound(NAME, options, contextFor(broker.url, overrides));
    running.push(channel);
    await channel.start(accept);
    return channel;
  }

  it('brings what the queue holds in its order, with its properties in the headers', async () => {
    const { exchange, options, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, numbered(1000));
    const arrivals: Arrival[] = [];
    await start(options, async (arrival) => {
      arrivals.push(arrival);
      return ACCEPTED;
    });
    await until(() => arrivals.length >= 1000);
    expect(arrivals.map(bodyOf)).to.deep.equal(numbered(1000));
    expect(arrivals[7]?.headers).to.include({
      'amqp.messageId': 'id-7',
      'amqp.type': 'booking.requested',
      'amqp.routingKey': 'booking.requested',
      'amqp.redelivered': 'false',
    });
  });

  it('acknowledges only once the engine has kept it', async () => {
    const { exchange, queue, options, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, numbered(20));
    const taken: string[] = [];
    const never = Promise.withResolvers<Receipt>();
    const channel = await start(options, (arrival) => {
      taken.push(bodyOf(arrival));
      return taken.length <= 5 ? Promise.resolve(ACCEPTED) : never.promise;
    });
    await until(() => taken.length === 20);
    // The instance is gone before it answered the rest: the broker has exactly what was not kept.
    never.reject(new BridgeError('store-unavailable', 'the store is gone'));
    await channel.stop();
    expect(await depth(broker.url, queue)).to.equal(15);
  });

  it('leaves to the broker what is kept only after the goodbye: it comes again, as a repeat', async () => {
    const { exchange, queue, options, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, ['slow']);
    const receipt = Promise.withResolvers<Receipt>();
    const taken: string[] = [];
    let stopping = false;
    // Its patience with the engine is over at once; then the broker has its goodbye and has not answered.
    class Hurried extends SystemClock {
      override sleep(ms: number, signal?: AbortSignal): Promise<void> {
        if (stopping && ms > 10_000) return Promise.resolve();
        if (stopping) receipt.resolve(ACCEPTED);
        return super.sleep(ms, signal);
      }
    }
    const slow: Accept = (arrival) => {
      taken.push(bodyOf(arrival));
      return receipt.promise;
    };
    const channel = await start(options, slow, { clock: new Hurried() });
    await until(() => taken.length === 1);
    stopping = true;
    await channel.stop();
    expect(await depth(broker.url, queue)).to.equal(1);
    stopping = false;
    await start(options, async (arrival) => {
      taken.push(arrival.headers['amqp.redelivered'] ?? '');
      return ACCEPTED;
    });
    await until(() => taken.length === 2);
    expect(taken).to.deep.equal(['slow', 'true']);
  });

  it('acknowledges duplicates and refused arrivals too', async () => {
    const { exchange, queue, options, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, numbered(30));
    const receipts: readonly Receipt[] = [
      ACCEPTED,
      { kind: 'duplicate', id: ID },
      { kind: 'refused', id: ID, error: new BridgeError('type-unknown', 'it has no type') },
    ];
    let taken = 0;
    const channel = await start(options, async () => receipts[taken++ % 3] ?? ACCEPTED);
    await until(() => taken >= 30);
    await channel.stop();
    expect(await depth(broker.url, queue)).to.equal(0);
  });

  it('loses nothing and keeps the order when the store fails, and reopens only when it is ready', async () => {
    const { exchange, queue, options, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, numbered(300));
    const kept: string[] = [];
    const redelivered: string[] = [];
    let storeIsThere = true;
    let calls = 0;
    let callsWhenAsked = 0;
    let storeBack = Promise.withResolvers<void>();
    const accept: Accept = async (arrival) => {
      calls += 1;
      if (kept.length === 100 && storeIsThere) {
        storeIsThere = false;
        storeBack = Promise.withResolvers<void>();
      }
      if (!storeIsThere) throw new BridgeError('store-unavailable', 'the store is gone');
      kept.push(bodyOf(arrival));
      if (arrival.headers['amqp.redelivered'] === 'true') redelivered.push(bodyOf(arrival));
      return ACCEPTED;
    };
    const channel = await start(options, accept, {
      storeReady: () => {
        callsWhenAsked = calls;
        return storeIsThere ? Promise.resolve() : storeBack.promise;
      },
    });
    await until(() => callsWhenAsked > 0);
    await until(async () => (await depth(broker.url, queue)) === 200);
    expect(calls, 'it waits for the store').to.equal(callsWhenAsked);
    kept.push('store was away');
    storeIsThere = true;
    storeBack.resolve();
    await until(() => kept.length >= 301);
    expect(kept).to.deep.equal([...numbered(100), 'store was away', ...numbered(200, 100)]);
    expect(redelivered).to.include.members(numbered(100, 100));
    await channel.stop();
    expect(await depth(broker.url, queue)).to.equal(0);
  });

  it('keeps the order however often the store fails', async () => {
    const { exchange, queue, options, channels } = setting(100);
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, numbered(3000));
    const kept: string[] = [];
    let calls = 0;
    let lost: Promise<never> | null = null;
    const channel = await start(
      options,
      (arrival) => {
        calls += 1;
        // The store goes away every 450 calls, and with it everything that was under way.
        if (calls % 450 === 0)
          lost = Promise.reject(new BridgeError('store-unavailable', 'the store is gone'));
        if (lost !== null) return lost;
        kept.push(bodyOf(arrival));
        return Promise.resolve(ACCEPTED);
      },
      {
        storeReady: async () => {
          lost = null;
        },
      },
    );
    await until(() => kept.length >= 3000);
    expect(kept).to.deep.equal(numbered(3000));
    await channel.stop();
    expect(await depth(broker.url, queue)).to.equal(0);
  });

  it('lets a message that kills reach the dead-letter queue alone, and the keeper brings it back marked late', async () => {
    const { exchange, queue, options, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, ['poison', ...numbered(5)]);
    const late: Arrival[] = [];
    const ordinary: string[] = [];
    let lives = 0;
    // Each life is a process: it ends at the poison, and with it everything that was under way.
    while (late.length === 0 && lives < 40) {
      lives += 1;
      const death = Promise.withResolvers<Receipt>();
      let dead = false;
      const channel = await start(options, (arrival) => {
        if (arrival.headers['amqp.late'] === 'true') late.push(arrival);
        else if (bodyOf(arrival) === 'poison') {
          dead = true;
          death.reject(new BridgeError('store-unavailable', 'it killed the process'));
        } else if (!dead) ordinary.push(bodyOf(arrival));
        return dead ? death.promise : Promise.resolve(ACCEPTED);
      });
      await until(() => dead || late.length > 0);
      await channel.stop();
    }
    running = [];
    expect(lives).to.be.within(5, 22);
    expect(ordinary).to.deep.equal(numbered(5));
    expect(late.map(bodyOf)).to.deep.equal(['poison']);
    expect(late[0]?.headers['amqp.late']).to.equal('true');
    await until(async () => (await depth(broker.url, `${queue}.dlq`)) === 0);
  });

  it('leaves a dead letter of the broker where it is while the engine cannot keep it', async () => {
    const { options, queue, channels } = setting();
    await prepare(broker.url, channels);
    await publishAll(broker.url, '', ['stranded'], `${queue}.dlq`);
    let tries = 0;
    const kept: string[] = [];
    await start(options, async (arrival) => {
      tries += 1;
      if (tries < 3) throw new BridgeError('store-unavailable', 'not yet');
      kept.push(bodyOf(arrival));
      return ACCEPTED;
    });
    await until(() => kept.length > 0);
    expect(kept).to.deep.equal(['stranded']);
    expect(tries).to.equal(3);
  });

  it('says that the broker is away when the connection closes before the queue is consumed', async () => {
    const { queue, options, channels } = setting();
    await prepare(broker.url, channels);
    const connection = await testConnection(broker.url);
    await connection.close();
    const error = await Consumption.open(connection, {
      queue,
      prefetch: options.prefetch,
      careful: false,
      switches: true,
      late: false,
      accept: async () => ACCEPTED,
    }).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    expect(error?.code).to.equal('broker-unavailable');
    expect(error?.message).to.contain(queue);
  });

  it('refuses to start without its queue, and says what to do', async () => {
    const { options } = setting();
    const channel = new AmqpInbound(NAME, options, contextFor(broker.url));
    const error = await channel
      .start(async () => ACCEPTED)
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    expect(error).to.be.instanceOf(BridgeError);
    expect((error as BridgeError).code).to.equal('topology-differs');
    expect((error as BridgeError).remedy).to.include('topology apply');
  });

  it('refuses to start on a queue that was declared without our arguments', async () => {
    const { options, queue } = setting();
    const connection = await testConnection(broker.url);
    const admin = await connection.createChannel();
    await admin.assertQueue(queue, { durable: true });
    await connection.close();
    const channel = new AmqpInbound(NAME, options, contextFor(broker.url));
    const error = await channel
      .start(async () => ACCEPTED)
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    expect((error as BridgeError).code).to.equal('topology-differs');
  });

  it('answers what it has taken before it stops', async () => {
    const { exchange, queue, options, channels } = setting(50);
    await prepare(broker.url, channels);
    await publishAll(broker.url, exchange, numbered(200));
    const taken: string[] = [];
    const gate = Promise.withResolvers<void>();
    const channel = await start(options, async (arrival) => {
      taken.push(bodyOf(arrival));
      await gate.promise;
      return ACCEPTED;
    });
    await until(() => taken.length >= 50);
    const stopping = channel.stop();
    gate.resolve();
    await stopping;
    expect(taken).to.deep.equal(numbered(50));
    expect(await depth(broker.url, queue)).to.equal(150);
  });
});
