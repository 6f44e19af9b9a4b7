import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';

import { BridgeError } from '../../engine/errors.ts';

/** What a broker answers to a client's first bytes: a method frame on channel 0 with Connection.Start. */
const CONNECTION_START = { frame: 1, classId: 10, methodId: 10 };

/**
 * Resolves once the broker at `url` speaks AMQP and opens a channel: one that boots takes connections before it means it,
 * and closes them with 541. Throws `broker-unavailable` after `waitMs`, or as soon as `gaveUp` says why it never will.
 */
export async function amqpReady(url: string, waitMs: number, gaveUp: () => string | null): Promise<void> {
  const until = performance.now() + waitMs;
  let last = 'nothing listens';
  while (performance.now() < until) {
    const reason = gaveUp();
    if (reason !== null) throw new BridgeError('broker-unavailable', reason);
    try {
      await greets(url);
      await opensChannel(url);
      return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      await delay(100);
    }
  }
  throw new BridgeError('broker-unavailable', `no AMQP broker answered within ${waitMs / 1000} s: ${last}`);
}

function greets(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  if (protocol === 'amqps:') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      socket.destroy();
      reject(new BridgeError('broker-unavailable', why));
    };
    const socket = connectSocket({ host: hostname, port: Number(port || 5672) });
    socket.setTimeout(2_000, () => fail('it does not greet'));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('it closed the connection'));
    socket.once('connect', () => socket.write(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')));
    socket.once('data', (bytes) => {
      const starts =
        bytes.length >= 11 &&
        bytes[0] === CONNECTION_START.frame &&
        bytes.readUInt16BE(7) === CONNECTION_START.classId &&
        bytes.readUInt16BE(9) === CONNECTION_START.methodId;
      if (!starts) return fail('what answers is not an AMQP 0-9-1 broker');
      socket.destroy();
      resolve();
    });
  });
}

async function opensChannel(url: string): Promise<void> {
  const connection = await connect(url, { timeout: 5_000 });
  // A broker that boots may close what it has just opened; the awaited calls below report that.
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  await channel.close();
  await connection.close();
}
