import { type ConsumeMessage, connect } from 'amqplib';
import { Command } from 'commander';
import { EVENTS } from '../sandbox/dawy/broker.ts';
import { atBroker, brokerUrl } from './broker.ts';
import { countIn } from './given.ts';
import { examples } from './help.ts';
import { interrupted } from './interrupt.ts';
import { say } from './terminal.ts';

interface Options {
  readonly type: string;
  readonly exchange: string;
  readonly count?: string;
  readonly json?: boolean;
}

/** `hisbridge listen`: what Dawy gets, as it gets it. */
export function listen(): Command {
  const command = new Command('listen')
    .description(
      'Print what Dawy gets on his.events until interrupted. Uses a queue of its own: nobody loses a message to it.',
    )
    .option('--type <pattern>', 'only these events, as a topic: booking.confirmed, booking.*', '#')
    .option('--exchange <name>', 'another exchange than the one Dawy listens to', EVENTS)
    .option('--count <n>', 'end after so many events')
    .option('--json', 'print each event as one line of JSON')
    .action((options: Options) => atBroker(() => run(options)));
  return examples(command, ['hisbridge listen', "hisbridge listen --type 'booking.*' --json"]);
}

async function run({ type, exchange, count, json = false }: Options): Promise<void> {
  let left = count === undefined ? Number.POSITIVE_INFINITY : countIn('--count', count);
  const stopping = interrupted();
  const connection = await connect(brokerUrl(), { timeout: 10_000 });
  try {
    const channel = await connection.createChannel();
    const ended = new Promise<void>((resolve, reject) => {
      stopping.addEventListener('abort', () => resolve(), { once: true });
      for (const source of [connection, channel]) {
        source.on('error', reject);
        source.on('close', () => resolve());
      }
      const take = (message: ConsumeMessage | null) => {
        if (message === null || left <= 0) return;
        console.log(lineOf(message, json));
        left -= 1;
        if (left <= 0) resolve();
      };
      begin(channel, take).catch(reject);
    });
    await ended;
  } finally {
    await connection.close().catch(() => undefined);
  }

  async function begin(
    channel: Awaited<ReturnType<typeof connection.createChannel>>,
    take: (message: ConsumeMessage | null) => void,
  ): Promise<void> {
    await channel.checkExchange(exchange);
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    await channel.bindQueue(queue, exchange, type);
    await channel.consume(queue, take, { noAck: true });
    say(`Listening to ${exchange} (${type}). Ctrl-C ends it.`);
  }
}

/** An event of CloudEvents as one line for people, or as it came. */
export function lineOf(
  { content, fields }: Pick<ConsumeMessage, 'content' | 'fields'>,
  json: boolean,
): string {
  const event = parsed(content);
  if (event === null)
    return json ? JSON.stringify({ type: fields.routingKey, bytes: content.length }) : fields.routingKey;
  if (json) return JSON.stringify(event);
  const { time, type, subject, data } = event;
  return [
    timeOf(time),
    String(type ?? fields.routingKey).padEnd(20),
    subject ?? '-',
    JSON.stringify(data),
  ].join('  ');
}

function parsed(content: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(content.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    // Whatever it is, it is shown by its routing key.
    return null;
  }
}

function timeOf(time: unknown): string {
  return typeof time === 'string' ? time.slice(11, 19) : '        ';
}
