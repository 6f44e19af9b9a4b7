import type { ChannelModel } from 'amqplib';
import { expect } from 'chai';
import type { AmqpOutboundOptions } from '../../channels/amqp/options.ts';
import { AmqpOutbound } from '../../channels/amqp/outbound.ts';
import type { Parcel } from '../../engine/channel.ts';
import { SystemClock } from '../../engine/clock.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import type { RunningServer } from '../../sandbox/servers/server.ts';
import {
  contextFor,
  outboundOptions,
  prepare,
  testBroker,
  testConnection,
  unique,
  until,
} from '../support/rabbitmq.ts';

const NAME = 'dawy-out' as ChannelName;
const NEVER = new AbortController().signal;

function parcel(
  key: string,
  body: object = { specversion: '1.0', id: key },
  type = 'booking.confirmed',
): Parcel {
  return { key, body: Buffer.from(JSON.stringify(body)), envelope: {}, type };
}

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | 'none'> {
  return promise.then(
    () => 'none' as const,
    (thrown: unknown) => (thrown as BridgeError).code,
  );
}

describe('channels/amqp outbound on a real broker', function () {
  this.timeout(60_000);
  let broker: RunningServer;
  let running: AmqpOutbound[] = [];
  const connections: ChannelModel[] = [];

  before(async () => {
    broker = await testBroker();
  });

  after(() => broker.stop());

  afterEach(async () => {
    await Promise.all(running.map((channel) => channel.stop()));
    running = [];
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
  });

  async function connected(): Promise<ChannelModel> {
    const connection = await testConnection(broker.url);
    connections.push(connection);
    return connection;
  }

  async function start(
    options: Pick<AmqpOutboundOptions, 'exchange'>,
    url = broker.url,
    overrides: Parameters<typeof contextFor>[1] = {},
  ): Promise<AmqpOutbound> {
    const context = contextFor(url, overrides);
    const channel = new AmqpOutbound(NAME, outboundOptions(options.exchange), context);
    running.push(channel);
    await channel.start();
    return channel;
  }

  /** An exchange, and a queue bound to what `key` says. */
  async function listening(key: string, queueArguments: object = { 'x-queue-type': 'quorum' }) {
    const exchange = unique('his.events');
    await prepare(broker.url, [{ direction: 'outbound', options: outboundOptions(exchange) }]);
    const connection = await connected();
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue(unique('dawy.events'), {
      durable: true,
      arguments: queueArguments,
    });
    await channel.bindQueue(queue, exchange, key);
    return { exchange, queue, channel };
  }

  it('publishes persistent, under the key of the edition, and answers with the confirm', async () => {
    const { exchange, queue, channel } = await listening('booking.#');
    const outbound = await start({ exchange });
    const answer = await outbound.send(parcel('edition-1'), NEVER);
    expect(answer).to.include({ otherwise: null, retryAfterMs: null });
    expect(answer.signals).to.deep.equal(['confirmed']);
    const message = await channel.get(queue);
    if (message === false) expect.fail('nothing in the queue');
    expect(message.properties).to.include({
      messageId: 'edition-1',
      type: 'booking.confirmed',
      deliveryMode: 2,
      contentType: 'application/cloudevents+json',
    });
    expect(message.fields.routingKey).to.equal('booking.confirmed');
    expect(JSON.parse(message.content.toString())).to.deep.equal({ specversion: '1.0', id: 'edition-1' });
  });

  it('keeps hundreds under way and has every one of them confirmed', async () => {
    const { exchange, queue, channel } = await listening('#');
    const outbound = await start({ exchange });
    const keys = Array.from({ length: 2000 }, (_, index) => `edition-${index}`);
    await Promise.all(keys.map((key) => outbound.send(parcel(key, { plain: true }), NEVER)));
    expect((await channel.checkQueue(queue)).messageCount).to.equal(2000);
    const message = await channel.get(queue);
    expect(message === false ? null : message.properties.contentType).to.equal('application/json');
  });

  it('claims no content type for what is no JSON', async () => {
    const { exchange, queue, channel } = await listening('#');
    const outbound = await start({ exchange });
    await outbound.send({ ...parcel('edition-1'), body: Buffer.from('<booking/>') }, NEVER);
    const message = await channel.get(queue);
    if (message === false) expect.fail('nothing in the queue');
    expect(message.properties.contentType).to.equal(undefined);
    expect(message.content.toString()).to.equal('<booking/>');
  });

  it('says that what AMQP cannot carry is at fault, and goes on with the others', async () => {
    const { exchange, queue, channel } = await listening('#');
    const outbound = await start({ exchange });
    const results = await Promise.all([
      codeOf(outbound.send(parcel('edition-1'), NEVER)),
      codeOf(outbound.send(parcel('edition-2', {}, 'a'.repeat(256)), NEVER)),
      codeOf(outbound.send(parcel('edition-3'), NEVER)),
    ]);
    expect(results).to.deep.equal(['none', 'output-invalid', 'none']);
    expect((await channel.checkQueue(queue)).messageCount).to.equal(2);
  });

  it('writes nothing once it has said goodbye to the broker, and says so', async () => {
    const { exchange, queue, channel } = await listening('#');
    let stopping = false;
    let late: Promise<ErrorCode | 'none'> | null = null;
    // It waits for the answer to its goodbye: the connection is neither open nor closed.
    class Waiting extends SystemClock {
      override sleep(ms: number, signal?: AbortSignal): Promise<void> {
        if (stopping) late ??= codeOf(outbound.send(parcel('late'), NEVER));
        return super.sleep(ms, signal);
      }
    }
    const outbound = await start({ exchange }, broker.url, { clock: new Waiting() });
    expect(await codeOf(outbound.send(parcel('early'), NEVER))).to.equal('none');
    stopping = true;
    await outbound.stop();
    expect(await late).to.equal('connection-failed');
    expect((await channel.checkQueue(queue)).messageCount).to.equal(1);
  });

  it('takes a message that no queue takes for unroutable, though the broker confirms it', async () => {
    const { exchange } = await listening('booking.#');
    const outbound = await start({ exchange });
    const results = await Promise.all([
      codeOf(outbound.send(parcel('routed'), NEVER)),
      codeOf(outbound.send(parcel('lost', {}, 'nobody.listens'), NEVER)),
      codeOf(outbound.send(parcel('routed-too'), NEVER)),
    ]);
    expect(results).to.deep.equal(['none', 'unroutable', 'none']);
  });

  it('takes the refusal of a full queue for busy', async () => {
    const { exchange, channel, queue } = await listening('#', {
      'x-queue-type': 'quorum',
      'x-max-length': 1,
      'x-overflow': 'reject-publish',
    });
    const outbound = await start({ exchange });
    const seen = new Set<string>();
    for (let index = 0; index < 50 && !seen.has('busy'); index += 1) {
      seen.add(await codeOf(outbound.send(parcel(`edition-${index}`), NEVER)));
    }
    expect([...seen]).to.have.members(['none', 'busy']);
    expect((await channel.checkQueue(queue)).messageCount).to.be.at.least(1);
  });

  it('is unroutable while its exchange is not there, and finds it once it is', async () => {
    const exchange = unique('his.events');
    const outbound = await start({ exchange });
    expect(await codeOf(outbound.send(parcel('early'), NEVER))).to.equal('unroutable');
    const connection = await connected();
    const channel = await connection.createChannel();
    await channel.assertExchange(exchange, 'topic', { durable: true });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, '#');
    await until(async () => (await codeOf(outbound.send(parcel('later'), NEVER))) === 'none');
  });

  it('starts without a broker and says that it has no connection', async () => {
    const outbound = await start({ exchange: 'his.events' }, 'amqp://127.0.0.1:1');
    expect(await codeOf(outbound.send(parcel('edition-1'), NEVER))).to.equal('connection-failed');
  });

  it('has the same key confirmed again: whoever consumes knows a repeat by its id', async () => {
    const { exchange, queue, channel } = await listening('#');
    const outbound = await start({ exchange });
    await Promise.all([outbound.send(parcel('edition-1'), NEVER), outbound.send(parcel('edition-1'), NEVER)]);
    expect((await channel.checkQueue(queue)).messageCount).to.equal(2);
    for (let count = 0; count < 2; count += 1) {
      const message = await channel.get(queue, { noAck: true });
      expect(message === false ? null : message.properties.messageId).to.equal('edition-1');
    }
  });

  it('refuses an address that is no URL of a broker', () => {
    const create = () =>
      new AmqpOutbound(NAME, outboundOptions('his.events'), contextFor('http://127.0.0.1'));
    expect(create).to.throw(BridgeError, 'no amqp:// URL');
  });
});
