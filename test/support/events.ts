import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { ConsumeMessage } from 'amqplib';

const FOLDER = resolve(import.meta.dirname, '../../schemas/dawy/events');

/** One event as Dawy heard it: the CloudEvent, and how it travelled. */
export interface HeardEvent {
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly data: EventData;
  readonly routingKey: string;
  readonly messageId: string;
  readonly text: string;
}

/** What events carry; each kind a part of it. */
export interface EventData {
  readonly id?: string;
  readonly hospital?: string;
  readonly booking?: Readonly<Record<string, string>>;
  readonly asked?: string;
  readonly reason?: string;
  readonly alternatives?: string;
  readonly refused?: Readonly<Record<string, string>>;
  readonly deadLetter?: Readonly<Record<string, string>>;
}

/** Reads what the broker brought. */
export function heardEvent({ content, fields, properties }: ConsumeMessage): HeardEvent {
  const text = content.toString('utf8');
  const event = JSON.parse(text) as Pick<HeardEvent, 'id' | 'type' | 'subject' | 'data'>;
  return { ...event, routingKey: fields.routingKey, messageId: String(properties.messageId), text };
}

/** What Dawy could hold against an event: its schema, and that it travelled under its own type and id. */
export function problemsWith({ routingKey, messageId, text, ...event }: HeardEvent): readonly string[] {
  const validate = schemaOf(event.type);
  const said = JSON.parse(text) as unknown;
  const problems = validate(said)
    ? []
    : [`${event.type} breaks its schema: ${JSON.stringify(validate.errors)}`];
  if (routingKey !== event.type) problems.push(`${event.type} travelled as ${routingKey}`);
  if (messageId !== event.id) problems.push(`${event.type} ${event.id} travelled under the id ${messageId}`);
  return problems;
}

const ajv = new Ajv({ allErrors: true, strict: false });
addFormats.default(ajv);
const compiled = new Map<string, ValidateFunction>();

function schemaOf(type: string): ValidateFunction {
  const name = type.startsWith('booking.') ? 'booking' : type;
  const known =
    compiled.get(name) ?? ajv.compile(JSON.parse(readFileSync(`${FOLDER}/${name}.schema.json`, 'utf8')));
  compiled.set(name, known);
  return known;
}
