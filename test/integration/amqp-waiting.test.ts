import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { AmqpInbound } from '../../channels/amqp/inbound.ts';
import type { Receipt } from '../../engine/channel.ts';
import type { ChannelName, MessageId } from '../../engine/message.ts';
import type { RunningServer } from '../../sandbox/servers/server.ts';
import { contextFor, prepare, publishAll, testBroker, unique, until } from '../support/rabbitmq.ts';

const ACCEPTED: Receipt = { kind: 'accepted', id: 'kept' as MessageId };

describe('channels/amqp inbound before a broker that comes later', function () {
  this.timeout(60_000);
  let broker: RunningServer;
  let proxy: Server;
  let url: string;
  let away = true;
  let refused = 0;
  const sockets = new Set<Socket>();

  before(async () => {
    broker = await testBroker();
    const target = new URL(broker.url);
    proxy = createServer((client) => {
      client.on('error', () => client.destroy());
      if (away) {
        refused += 1;
        client.destroy();
        return;
      }
      const upstream = connect(Number(target.port), target.hostname);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream);
      upstream.pipe(client);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const own = new URL(broker.url);
    own.hostname = '127.0.0.1';
    own.port = String((proxy.address() as AddressInfo).port);
    url = own.href;
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await broker.stop();
  });

  it('waits for the queues too, says so, and consumes once they are declared', async () => {
    const exchange = unique('dawy');
    const queue = unique('hisbridge.bookings');
    const options = { queue, bind: { exchange, keys: ['booking.#'] }, prefetch: 10 };
    const reports: string[] = [];
    const bodies: string[] = [];
    const channel = new AmqpInbound(
      'dawy-in' as ChannelName,
      options,
      contextFor(url, { report: (state, detail) => reports.push(`${state}: ${detail}`) }),
    );
    const started = channel
      .start(async ({ body }) => {
        bodies.push(Buffer.from(body).toString());
        return ACCEPTED;
      })
      .then(
        () => 'started',
        (thrown: unknown) => String(thrown),
      );
    await until(() => refused > 0);
    away = false;
    const lacking = () => reports.some((report) => report.startsWith('closed') && report.includes(queue));
    const first = await Promise.race([started, until(lacking).then(() => 'waits')]);
    expect(first).to.equal('waits');
    await prepare(broker.url, [{ direction: 'inbound', options }]);
    await publishAll(broker.url, exchange, ['1', '2']);
    expect(await started).to.equal('started');
    await until(() => bodies.length >= 2);
    expect(bodies).to.deep.equal(['1', '2']);
    expect(reports.at(-1)).to.equal(`opened: consuming ${queue}`);
    await channel.stop();
    expect(reports.at(-1)).to.equal('closed: stopped');
  });
});
