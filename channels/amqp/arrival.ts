import type { ConsumeMessage } from 'amqplib';
import type { Arrival } from '../../engine/channel.ts';

// Headers are for finding and reading, not for carrying: a stack trace or a long x-death must not fill a row.
const MAX_HEADERS = 64;
const MAX_NAME = 200;
const MAX_VALUE = 2000;
const OURS = 'amqp.';

/** Turns what the broker brought into an arrival. Header names become lower case; names in `amqp.` are ours alone. */
export function arrivalOf(message: ConsumeMessage, late: boolean): Arrival {
  const headers: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of Object.entries(message.properties.headers ?? {})) {
    const key = name.toLowerCase().slice(0, MAX_NAME);
    if (key.startsWith(OURS) || count >= MAX_HEADERS) continue;
    headers[key] = text(value);
    count += 1;
  }
  return {
    body: message.content,
    headers: { ...headers, ...propertiesOf(message), ...(late ? { 'amqp.late': 'true' } : {}) },
  };
}

function propertiesOf({ properties, fields }: ConsumeMessage): Record<string, string> {
  const values: Record<string, unknown> = {
    'amqp.messageId': properties.messageId,
    'amqp.type': properties.type,
    'amqp.contentType': properties.contentType,
    'amqp.correlationId': properties.correlationId,
    'amqp.timestamp': instant(properties.timestamp),
    'amqp.routingKey': fields.routingKey,
    'amqp.redelivered': fields.redelivered,
  };
  const known: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== '') known[name] = text(value);
  }
  return known;
}

/** AMQP counts seconds; a value that is no instant is passed on as it is. */
function instant(timestamp: unknown): unknown {
  if (typeof timestamp !== 'number') return timestamp;
  const date = new Date(timestamp * 1000);
  return Number.isNaN(date.getTime()) ? timestamp : date.toISOString();
}

function text(value: unknown): string {
  return plain(value).slice(0, MAX_VALUE);
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? '';
  return String(value);
}
