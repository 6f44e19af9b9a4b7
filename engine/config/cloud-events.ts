/** A body taken out of its CloudEvents envelope, with what the envelope says of it. */
export interface Unwrapped {
  readonly body: unknown;
  /** The envelope's word; null when there is no envelope. */
  readonly type: string | null;
  readonly id: string | null;
}

/**
 * Takes a JSON body out of its CloudEvents 1.0 envelope, structured or in AMQP headers. Its `type` and `id` stand
 * in the body afterwards, so that a plain message and an enveloped one look the same from here on. What has no
 * envelope is returned as it is. An envelope with `data_base64` has no JSON to take out and stays without data.
 */
export function unwrap(body: unknown, headers: Readonly<Record<string, string>>): Unwrapped {
  if (isObject(body) && typeof body['specversion'] === 'string') {
    return wrapped(body['data'], textOf(body['type']), textOf(body['id']));
  }
  const said = (name: string) => textOf(headers[`cloudevents:${name}`] ?? headers[`cloudevents_${name}`]);
  if (said('specversion') !== null) return wrapped(body, said('type'), said('id'));
  return { body, type: null, id: null };
}

function wrapped(data: unknown, type: string | null, id: string | null): Unwrapped {
  const inside = isObject(data) ? data : {};
  const body = { ...inside, ...(type === null ? {} : { type }), ...(id === null ? {} : { id }) };
  return { body, type, id };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
