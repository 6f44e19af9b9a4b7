import type { ChannelKind } from '../../../engine/channel.ts';
import { compile } from '../../../engine/config/compile.ts';
import type { Source } from '../../../engine/config/source.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { Compiled, Plan, Problem } from '../../../engine/plan.ts';

const never = () => {
  throw new BridgeError('usage', 'a compiler opens no channel');
};

/** Two kinds with every feature that the compiler deals with. */
export const kinds: readonly ChannelKind[] = [
  {
    kind: 'amqp',
    summary: 'Queues and exchanges.',
    inbound: {
      options: {
        type: 'object',
        required: ['queue'],
        properties: {
          queue: { type: 'string', minLength: 1, description: 'The queue.' },
          prefetch: { type: 'integer', minimum: 1, default: 400, description: 'How many at once.' },
        },
      },
      create: never,
    },
    outbound: {
      options: {
        type: 'object',
        required: ['exchange'],
        properties: {
          exchange: { type: 'string', minLength: 1, description: 'The exchange.' },
          confirmTimeout: { type: 'string', format: 'duration', default: '10s', description: 'The wait.' },
        },
      },
      envelope: { type: 'object', additionalProperties: false, properties: {} },
      verdicts: { confirmed: 'taken' },
      repeats: 'recognized',
      create: never,
    },
  },
  {
    kind: 'rest',
    summary: 'HTTP.',
    outbound: {
      options: {
        type: 'object',
        required: ['address'],
        properties: {
          address: {
            type: 'string',
            pattern: '^https?://',
            description: 'The URL.',
            examples: ['https://his.example'],
          },
          code: { type: 'string', description: 'Where an answer says more.' },
        },
      },
      envelope: {
        type: 'object',
        required: ['path'],
        additionalProperties: false,
        properties: {
          method: { enum: ['POST', 'GET'], default: 'POST', description: 'The method.' },
          path: { type: 'string', pattern: '^/', description: 'The path.' },
        },
      },
      create: never,
    },
  },
];

export const ENV = { AMQP_URL: 'amqp://guest:s3cret@broker', NORTH_URL: 'https://north.example/s3cret' };

/** An invented network of Dawy and one hospital, without a problem. */
export const FILES: Readonly<Record<string, string>> = {
  'routes.yaml': `version: 1
systems:
  dawy: { amqp: '\${env:AMQP_URL}' }
  north: { timeZone: Asia/Riyadh, codes: codes }
channels:
  dawy-in:
    system: dawy
    kind: amqp
    queue: bookings
    read:
      as: json
      type: /type
      schema: schemas/{type}.json
      id: amqp.messageId
      hospital: /booking/hospital
      booking: /booking/reference
      learn: { slotStart: /slot/start, doctor: /doctors }
      search: { doctor: /doctor/id, patient: { at: /patient/id, private: true } }
  north-out:
    system: north
    kind: rest
    address: \${env:NORTH_URL}
    code: /code
    timeout: 5s
    maxInFlight: 4
    repeats: probe
    probe:
      settleAfter: 2s
      render: { template: find.json.yaml, method: GET, path: '/appointments/{{message.booking.reference}}' }
      says:
        - { when: { /found: true }, verdict: taken }
        - { when: { /found: false }, verdict: absent }
    verdicts:
      201: taken
      409/TAKEN: declined
  dawy-out:
    system: dawy
    kind: amqp
    exchange: his.events
routes:
  to-north:
    from: dawy-in
    when: { hospital: north }
    render:
      booking.requested: { template: request.json.yaml, path: /appointments }
      booking.cancel-requested: { template: cancel.json.yaml, path: '/appointments/{{booking.hospitalRef}}/cancel' }
    to: north-out
    answer:
      as: json
      learn: { hospitalRef: /id, reason: /why }
      becomes:
        - { when: { /status: [BOOKED, MOVED], asked: booking.requested }, event: booking.confirmed, learn: { reason: /code } }
        - { when: { /status: CANCELLED }, event: booking.cancelled }
        - { when: { /status: NOTED }, event: none }
    retry: { first: 1s, max: 5m, for: 24h, notAfter: /slot/start }
  tell-dawy:
    from: bookings
    render: event.json.yaml
    to: dawy-out
`,
  'schemas/booking.requested.json': JSON.stringify({
    type: 'object',
    required: ['type', 'booking', 'slot', 'patient'],
    properties: {
      type: { type: 'string' },
      id: { type: 'string' },
      booking: {
        type: 'object',
        required: ['reference', 'hospital'],
        properties: { reference: { type: 'string' }, hospital: { type: 'string' } },
      },
      slot: { type: 'object', required: ['start'], properties: { start: { type: 'string' } } },
      patient: {
        type: 'object',
        required: ['id', 'name'],
        properties: { id: { type: 'string' }, name: { type: 'string' }, phone: { type: 'string' } },
      },
      doctor: { type: 'object', properties: { id: { type: 'string' } } },
      doctors: { type: 'array', items: { type: 'string' } },
    },
  }),
  'schemas/booking.cancel-requested.json': JSON.stringify({
    type: 'object',
    required: ['type', 'booking'],
    properties: {
      type: { type: 'string' },
      booking: {
        type: 'object',
        required: ['reference', 'hospital'],
        properties: { reference: { type: 'string' }, hospital: { type: 'string' } },
      },
      reason: { type: 'string' },
    },
  }),
  'codes/status.yaml': "'007': A0\nNEW: 010\n",
  'find.json.yaml': '{}\n',
  'request.json.yaml':
    "start: '{{message.slot.start}}'\nname: '{{message.patient.name}}'\nkey: '{{edition.key}}'\n",
  'cancel.json.yaml': "reason: '{{optional message.reason}}'\n",
  'event.json.yaml': "type: '{{message.type}}'\n",
};

/** Files in memory. */
export function inMemory(files: Readonly<Record<string, string>>): Source {
  return {
    read: (path) => (Object.hasOwn(files, path) ? (files[path] ?? null) : null),
    list: (folder) =>
      Object.keys(files)
        .filter((path) => path.slice(0, Math.max(path.lastIndexOf('/'), 0)) === folder)
        .map((path) => path.slice(path.lastIndexOf('/') + 1))
        .sort(),
  };
}

/** What stands in a file, and what it is replaced by. */
export type Edit = readonly [file: string, from: string, to: string];

/** The network with texts replaced. An edit that finds nothing to replace fails. */
export function edited(...edits: readonly Edit[]): Readonly<Record<string, string>> {
  const files = { ...FILES };
  for (const [file, from, to] of edits) {
    const text = files[file] ?? '';
    if (!text.includes(from)) throw new RangeError(`${file} has no "${from}"`);
    files[file] = text.replace(from, () => to);
  }
  return files;
}

/** Compiles files in memory. */
export function compiled(
  files: Readonly<Record<string, string>>,
  env: Record<string, string | undefined> = ENV,
): Compiled {
  return compile({ ...inMemory(files), env, kinds });
}

/** The plan of files without a problem. */
export function planOf(files: Readonly<Record<string, string>> = FILES): Plan {
  const result = compiled(files);
  if (result.kind === 'plan') return result.plan;
  throw new RangeError(result.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
}

/** All that is said about files, errors and warnings. */
export function saidOf(
  files: Readonly<Record<string, string>>,
  env?: Record<string, string | undefined>,
): readonly Problem[] {
  const result = compiled(files, env);
  return result.kind === 'plan' ? result.warnings : result.problems;
}
