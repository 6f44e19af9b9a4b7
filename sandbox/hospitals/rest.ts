import type { Appointment, Slot, Wish } from './calendar.ts';
import type { Ask, Result } from './hospital.ts';
import {
  type Addressing,
  digestOf,
  type Incoming,
  keyOfAnother,
  mistaken,
  type Protocol,
  type Reply,
} from './protocol.ts';

/** The JSON interface of alnoor: it recognizes a repeated `Idempotency-Key`. */
export const rest: Protocol = {
  recognizesRepeats: true,
  prefix: 'AN',
  aside: ({ method, path }) => (method === 'GET' && path === '/health' ? json(200, { status: 'ok' }) : null),
  read(incoming) {
    const key = incoming.headers['idempotency-key'];
    return {
      key: typeof key === 'string' ? key : null,
      digest: digestOf(incoming),
      ask: askOf(incoming),
    };
  },
  write,
  writeForAnother: (result, addressing, other) =>
    write(mistaken(result, other), { ...addressing, request: keyOfAnother(addressing.request) }),
};

type Body = Readonly<Record<string, unknown>>;

function askOf(incoming: Incoming): Ask {
  const [, collection, id, act, ...rest] = incoming.path.split('/').map(decoded);
  if (collection !== 'appointments' || rest.length > 0) return nonsense('there is nothing at this path');
  if (incoming.method === 'GET' && id !== undefined && act === undefined)
    return { operation: 'read', hospitalRef: id };
  if (incoming.method !== 'POST') return nonsense('this method is not served here');
  const body = parsed(incoming.body);
  if (body === null) return nonsense('the body is not a JSON object');
  if (id === undefined) return { operation: 'book', wish: wishOf(body) };
  if (act === 'reschedule') return { operation: 'move', hospitalRef: id, slot: slotOf(body) };
  if (act === 'cancel') return { operation: 'cancel', hospitalRef: id };
  return nonsense('there is nothing at this path');
}

function wishOf(body: Body): Wish {
  const given = body['patient'];
  const patient = typeof given === 'object' && given !== null ? (given as Body) : {};
  return {
    ...slotOf(body),
    reference: text(body['externalReference']),
    doctor: text(body['doctorId']),
    patient: {
      id: text(patient['id']),
      name: text(patient['name']),
      birthDate: text(patient['birthDate']) || null,
      phone: text(patient['phone']) || null,
    },
    note: text(body['note']) || null,
  };
}

function slotOf(body: Body): Slot {
  return { start: text(body['start']), end: text(body['end']) };
}

function write(result: Result, { request }: Addressing): Reply {
  const requestKey = request.key;
  switch (result.kind) {
    case 'effect':
      return json(result.effect === 'booked' ? 201 : 200, { requestKey, ...seen(result.after) });
    case 'appointment':
      return json(200, { requestKey, ...seen(result.appointment) });
    case 'found':
      return result.appointment === null
        ? json(404, { requestKey, code: 'UNKNOWN' })
        : json(200, { requestKey, ...seen(result.appointment) });
    case 'slot-taken':
      return json(409, { requestKey, code: 'SLOT_TAKEN', alternatives: result.alternatives });
    case 'unknown':
      return json(404, { requestKey, code: 'UNKNOWN' });
    case 'invalid':
      return json(422, { requestKey, code: 'INVALID', message: result.message });
    case 'key-reused':
      return json(422, { requestKey, code: 'KEY_REUSED' });
    case 'busy': {
      const reply = json(429, { requestKey, code: 'BUSY' });
      return { ...reply, headers: { ...reply.headers, 'retry-after': String(result.retryAfterSeconds) } };
    }
  }
}

function seen({ hospitalRef, reference, status, start, end }: Appointment) {
  return { id: hospitalRef, externalReference: reference, status: status.toUpperCase(), start, end };
}

function json(status: number, body: Body): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
    label: typeof body['code'] === 'string' ? `${status} ${body['code']}` : String(status),
  };
}

function nonsense(message: string): Ask {
  return { operation: 'unreadable', message };
}

/** A number is no text here: an id that came as a number has lost its zeros on the way. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function parsed(body: Buffer): Body | null {
  try {
    const value: unknown = JSON.parse(UTF8.decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : null;
  } catch {
    return null;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
