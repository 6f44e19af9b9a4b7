import { type ConfirmChannel, connect } from 'amqplib';

import { BridgeError } from '../../engine/errors.ts';
import { BOOKINGS } from './broker.ts';
import type { DawyMessage } from './messages.ts';

/** Dawy's side of the exchange: a message counts as sent when the broker has confirmed that a queue has it. */
export interface DawyPublisher {
  publish(message: DawyMessage): Promise<void>;
  /** Publishes any bytes, to see what becomes of what Dawy should never send. */
  publishBytes(body: Buffer, properties: { readonly type: string; readonly id: string }): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the broker at `url`. */
export async function openPublisher(url: string): Promise<DawyPublisher> {
  const connection = await connect(url, { timeout: 10_000 });
  // A connection that breaks makes the publish that waits for its confirm reject; nothing more is needed.
  connection.on('error', () => undefined);
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => undefined);
  const returned = new Set<string>();
  channel.on('return', ({ properties }: { properties: { messageId: string } }) =>
    returned.add(properties.messageId),
  );

  const publishBytes: DawyPublisher['publishBytes'] = async (body, { type, id }) => {
    await confirmed(channel, body, type, id);
    // The broker returns what no queue takes before it confirms it.
    if (returned.delete(id)) throw new BridgeError('unroutable', `no queue takes ${type} from ${BOOKINGS}`);
  };
  return {
    publish: (message) => publishBytes(Buffer.from(JSON.stringify(message)), message),
    publishBytes,
    close: () => connection.close(),
  };
}

function confirmed(channel: ConfirmChannel, body: Buffer, type: string, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { messageId: id, contentType: 'application/json', persistent: true, mandatory: true };
    channel.publish(BOOKINGS, type, body, options, (error) => {
      if (error) reject(BridgeError.from(error, 'confirm-missing', BOOKINGS));
      else resolve();
    });
  });
}
