import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { Line } from '../../channels/amqp/line.ts';
import { AmqpOutbound } from '../../channels/amqp/outbound.ts';
import { diffTopology, planTopology } from '../../channels/amqp/topology.ts';
import { SystemClock } from '../../engine/clock.ts';
import type { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import { contextFor, outboundOptions } from '../support/rabbitmq.ts';
import {
  CLOSE_541,
  CLOSE_OK,
  channelOpened,
  channelRefused,
  OPEN_OK,
  queueThere,
  START,
  TUNE,
} from './amqp-frames.ts';

/** What a far side says to each thing it hears. */
type Script = readonly (Buffer | 'end' | 'reset')[];

describe('channels/amqp and a far side that is no broker, or not yet', () => {
  let server: Server | null = null;
  const sockets = new Set<Socket>();

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    if (server === null) return;
    const closing = once(server, 'close');
    server.close();
    await closing;
    server = null;
  });

  async function listening(script: Script): Promise<string> {
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      let step = 0;
      socket.on('data', () => {
        const word = script[step];
        step += 1;
        if (word === 'end') socket.end();
        else if (word === 'reset') socket.resetAndDestroy();
        else if (word !== undefined) socket.write(word);
      });
    });
    server = listener;
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return `amqp://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  }

  const scripts: Readonly<Record<string, Script>> = {
    'hangs up at once': ['end'],
    'resets at once': ['reset'],
    'answers in another protocol': [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    'hangs up during the handshake': [START, 'end'],
    'closes with 541 during the handshake': [START, TUNE, CLOSE_541],
  };

  for (const [what, script] of Object.entries(scripts)) {
    it(`is unavailable when it ${what}`, async () => {
      const line = new Line(await listening(script), new SystemClock());
      const error = await line.connection().then(
        () => null,
        (thrown: unknown) => thrown as BridgeError,
      );
      expect(error?.code).to.equal('broker-unavailable');
      await line.close();
    });
  }

  it('survives a broker that opens and closes in one breath, as one that boots does', async () => {
    const url = await listening([START, TUNE, Buffer.concat([OPEN_OK, CLOSE_541])]);
    const outbound = new AmqpOutbound(
      'dawy-out' as ChannelName,
      outboundOptions('his.events'),
      contextFor(url),
    );
    await outbound.start();
    const parcel = { key: 'edition-1', body: Buffer.from('{}'), envelope: {}, type: 'booking.placed' };
    const error = await outbound.send(parcel, new AbortController().signal).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    expect(error?.code).to.equal('connection-failed');
    await outbound.stop();
  });

  const answers: Readonly<Record<string, readonly [Buffer, BridgeError['code']]>> = {
    'answers about a queue and closes in one breath': [
      Buffer.concat([queueThere(1), CLOSE_541]),
      'broker-unavailable',
    ],
    'does not let us ask about a queue': [channelRefused(1), 'credentials-refused'],
  };

  for (const [what, [answer, code]] of Object.entries(answers)) {
    it(`has told us what it is when it ${what}`, async () => {
      const url = await listening([START, TUNE, OPEN_OK, channelOpened(1), answer, CLOSE_OK, CLOSE_OK]);
      const bookings = { direction: 'inbound' as const, options: { queue: 'hisbridge.bookings' } };
      const error = await diffTopology(url, planTopology([bookings])).then(
        () => null,
        (thrown: unknown) => thrown as BridgeError,
      );
      expect(error?.code).to.equal(code);
    });
  }

  it('gives a send up when its time is over, though the far side never says a word', async () => {
    const reports: string[] = [];
    const url = await listening([]);
    const heard = once(server as Server, 'connection');
    const outbound = new AmqpOutbound(
      'dawy-out' as ChannelName,
      outboundOptions('his.events'),
      contextFor(url, { report: (state) => reports.push(state) }),
    );
    await outbound.start();
    const parcel = { key: 'edition-1', body: Buffer.from('{}'), envelope: {}, type: 'booking.placed' };
    const over = new AbortController();
    const sending = outbound.send(parcel, over.signal).then(
      () => null,
      (thrown: unknown) => thrown as BridgeError,
    );
    await heard;
    over.abort();
    expect((await sending)?.code).to.equal('connection-failed');
    expect(reports, 'it is still trying to connect').to.deep.equal([]);
    for (const socket of sockets) socket.destroy();
    await outbound.stop();
  });
});
