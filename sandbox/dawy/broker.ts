import { type ChannelModel, connect } from 'amqplib';

/** Where Dawy publishes. Its own to declare: the engine only checks that it is there. */
export const BOOKINGS = 'dawy.bookings';
/** Where the engine publishes what Dawy should know. */
export const EVENTS = 'his.events';
/** Where Dawy reads that. */
export const DAWY_QUEUE = 'dawy.events';

/** Declares Dawy's exchange. Declaring it again verifies it. */
export async function declareBookings(url: string): Promise<void> {
  await onConnection(url, async (connection) => {
    const channel = await channelOf(connection);
    await channel.assertExchange(BOOKINGS, 'topic', { durable: true });
    await channel.close();
  });
}

/** Declares the queue Dawy reads events from, bound to everything the engine says. Needs the engine's topology. */
export async function declareDawyQueue(url: string): Promise<void> {
  await onConnection(url, async (connection) => {
    const channel = await channelOf(connection);
    await channel.assertQueue(DAWY_QUEUE, { durable: true });
    await channel.bindQueue(DAWY_QUEUE, EVENTS, '#');
    await channel.close();
  });
}

async function onConnection(url: string, act: (connection: ChannelModel) => Promise<void>): Promise<void> {
  const connection = await connect(url, { timeout: 10_000 });
  // What goes wrong is reported by the calls that are awaited.
  connection.on('error', () => undefined);
  try {
    await act(connection);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

async function channelOf(connection: ChannelModel) {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  return channel;
}
