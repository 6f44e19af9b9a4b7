import { BridgeError } from '../../engine/errors.ts';
import { DEFAULT_LIMITS, type FormCodec, type Path, textAt } from '../../engine/forms/form.ts';
import type { HttpResponse } from './exchange.ts';

/** The body of a complete response in its form. */
export type Reading =
  | { readonly kind: 'read'; readonly body: unknown }
  /** There is none, or none of this form, and the status speaks for itself. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' };

/** Decodes the body of a response. A 2xx, and an answer that claims to be of the form, must be readable. */
export function readBody(response: HttpResponse, codec: FormCodec): Reading {
  const { status, headers, body } = response;
  const must = succeeded(status) || claims(headers['content-type'], codec.form);
  if (body.length === 0) return !must || saysEmpty(response) ? { kind: 'none' } : { kind: 'unreadable' };
  try {
    return { kind: 'read', body: codec.decode(body, DEFAULT_LIMITS) };
  } catch (thrown) {
    if (!(thrown instanceof BridgeError)) throw thrown;
    return must ? { kind: 'unreadable' } : { kind: 'none' };
  }
}

export function succeeded(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether the answer repeats a key, and another one than ours. One that repeats none may still be ours. */
export function forAnother(body: unknown, echo: Path | null, key: string): boolean {
  const echoed = echo === null ? undefined : textAt(echo, body)?.trim();
  return echoed !== undefined && echoed !== '' && echoed !== key;
}

// A code is a word; what is longer is prose, and a signal is shown to people and counted.
const MAX_CODE_LENGTH = 80;

/** The word at `code`, when there is one. */
export function codeIn(body: unknown, code: Path | null): string | null {
  const text = code === null ? undefined : textAt(code, body)?.trim();
  return text === undefined || text === '' || text.length > MAX_CODE_LENGTH ? null : text;
}

/** Compiles a path of routes.yaml. Throws `config-invalid` when it cannot be read. */
export function pathOption(
  { channel, option }: { readonly channel: string; readonly option: string },
  path: string,
  codec: FormCodec,
): Path {
  const compiled = codec.compilePath(path);
  if (typeof compiled === 'function') return compiled;
  throw new BridgeError('config-invalid', `${option} of ${channel}: ${compiled.problem}`, { at: channel });
}

/** A body that ends with the connection may have been cut; an empty one counts only when its length was said. */
function saysEmpty({ status, headers }: HttpResponse): boolean {
  return status === 204 || headers['content-length'] === '0' || headers['transfer-encoding'] !== undefined;
}

function claims(contentType: string | undefined, form: string): boolean {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type.endsWith(`/${form}`) || type.endsWith(`+${form}`);
}
