import type { Form } from '../message.ts';

/** How deep and how large a body may be. */
export interface Limits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

export const DEFAULT_LIMITS: Limits = { maxBytes: 1_048_576, maxDepth: 64 };

/** One shape of body: how it is read and how people point into it. */
export interface FormCodec {
  readonly form: Form;
  /** Throws `body-unreadable`, `body-too-large` or `body-too-deep`; the message says where, never what. */
  decode(bytes: Uint8Array, limits?: Limits): unknown;
  /** Reads a path of this form's language (`/a/b` in JSON, `Body/Fault/Code` in XML, `*` for any one element) once, at load. Returns a sentence when it cannot be read. */
  compilePath(path: string): Path | { readonly problem: string };
}

/** A compiled path. Returns undefined where the body has nothing. */
export type Path = (body: unknown) => unknown;

/** The value at a path as text, for identifiers and conditions; a number, boolean or text as it is written, undefined for anything else. */
export function textAt(path: Path, body: unknown): string | undefined {
  const value = path(body);
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
