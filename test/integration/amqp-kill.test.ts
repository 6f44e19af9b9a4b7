import { expect } from 'chai';
import { AmqpInbound } from '../../channels/amqp/inbound.ts';
import { AmqpOutbound } from '../../channels/amqp/outbound.ts';
import type { Receipt } from '../../engine/channel.ts';
import { SystemClock } from '../../engine/clock.ts';
import type { BridgeError } from '../../engine/errors.ts';
import type { ChannelName, MessageId } from '../../engine/message.ts';
import type { RunningServer } from '../../sandbox/servers/server.ts';
import {
  contextFor,
  depth,
  killableBroker,
  outboundOptions,
  prepare,
  publishAll,
  unique,
  until,
} from '../support/rabbitmq.ts';

const ACCEPTED: Receipt = { kind: 'accepted', id: 'kept' as MessageId };
const NEVER = new AbortController().signal;
// A queue younger than this is lost with everything in it when this broker is killed.
const SETTLE_MS = 3000;

function setting() {
  const exchange = unique('dawy');
  const queue = unique('hisbridge.bookings');
  const inbound = { queue, bind: { exchange, keys: ['#'] }, prefetch: 400 };
  return { exchange, queue, inbound, channels: [{ direction: 'inbound' as const, options: inbound }] };
}

describe('channels/amqp and a broker that is killed', function () {
  this.timeout(180_000);
  const clock = new SystemClock();
  const settings = { consuming: setting(), publishing: setting(), down: setting() };
  let broker: RunningServer;

  before(async () => {
    broker = await killableBroker();
    const all = Object.values(settings).flatMap(({ channels }) => channels);
    await prepare(broker.url, all, SETTLE_MS);
  });

  after(() => broker.stop());

  it('consumes on after a kill: nothing lost, in order, and says once that it closed and opened', async () => {
    const { exchange, queue, inbound } = settings.consuming;
    const sent = Array.from({ length: 2000 }, (_, index) => `${index}`);
    await publishAll(broker.url, exchange, sent);
    // As the engine does: what comes again is known by its id.
    const kept = new Set<string>();
    const states: string[] = [];
    const report = (state: string) => states.push(state);
    const channel = new AmqpInbound('dawy-in' as ChannelName, inbound, contextFor(broker.url, { report }));
    let killing: Promise<void> | null = null;
    await channel.start(async (arrival) => {
      await clock.sleep(5);
      kept.add(arrival.headers['amqp.messageId'] ?? '');
      if (kept.size === 900) killing = broker.kill();
      return ACCEPTED;
    });
    await until(() => killing !== null);
    await killing;
    await broker.restart();
    await until(() => kept.size === 2000);
    expect([...kept]).to.deep.equal(sent.map((body) => `id-${body}`));
    await until(async () => (await depth(broker.url, queue)) === 0);
    await channel.stop();
    expect(states).to.deep.equal(['opened', 'closed', 'opened', 'closed']);
    expect(await depth(broker.url, queue)).to.equal(0);
  });

  it('publishes on after a kill: what was confirmed is there, and the same key again makes up for the rest', async () => {
    const { exchange, queue, inbound } = settings.publishing;
    const kept: string[] = [];
    const consumer = new AmqpInbound('dawy-in' as ChannelName, inbound, contextFor(broker.url));
    await consumer.start(async (arrival) => {
      kept.push(arrival.headers['amqp.messageId'] ?? '');
      return ACCEPTED;
    });
    const outbound = new AmqpOutbound(
      'dawy-out' as ChannelName,
      outboundOptions(exchange),
      contextFor(broker.url),
    );
    await outbound.start();
    const codes = new Set<string>();
    let confirmed = 0;
    let killing: Promise<void> | null = null;
    const deliver = async (key: string): Promise<void> => {
      for (;;) {
        try {
          await outbound.send({ key, body: Buffer.from('{}'), envelope: {}, type: 'booking.placed' }, NEVER);
          confirmed += 1;
          if (confirmed === 1000) killing = broker.kill().then(() => broker.restart());
          return;
        } catch (thrown) {
          codes.add((thrown as BridgeError).code);
          await clock.sleep(50);
        }
      }
    };
    const keys = Array.from({ length: 3000 }, (_, index) => `edition-${index}`);
    const lanes = Array.from({ length: 100 }, async (_, lane) => {
      for (let index = lane; index < keys.length; index += 100) await deliver(keys[index] ?? '');
    });
    await Promise.all(lanes);
    await killing;
    await until(() => new Set(kept).size === 3000);
    expect([...new Set(kept)]).to.have.members(keys);
    expect([...codes]).to.include('confirm-missing');
    expect(
      [...codes].filter((code) => !['confirm-missing', 'connection-failed', 'unroutable'].includes(code)),
    ).to.deep.equal([]);
    await outbound.stop();
    await consumer.stop();
    expect(await depth(broker.url, queue)).to.equal(0);
  });

  it('stops in time and starts again while the broker is down, and opens when it comes', async () => {
    const { exchange, inbound } = settings.down;
    const first = new AmqpInbound('dawy-in' as ChannelName, inbound, contextFor(broker.url));
    await first.start(async () => ACCEPTED);
    const outbound = new AmqpOutbound(
      'dawy-out' as ChannelName,
      outboundOptions(exchange),
      contextFor(broker.url),
    );
    await outbound.start();
    await broker.kill();
    await Promise.all([first.stop(), outbound.stop()]);

    const kept: string[] = [];
    const second = new AmqpInbound('dawy-in' as ChannelName, inbound, contextFor(broker.url));
    const starting = second.start(async (arrival) => {
      kept.push(Buffer.from(arrival.body).toString());
      return ACCEPTED;
    });
    await broker.restart();
    await starting;
    await publishAll(broker.url, exchange, ['late riser']);
    await until(() => kept.length === 1);
    await second.stop();
  });
});
