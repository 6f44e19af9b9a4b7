import { DEFAULT_LIMITS, type FormCodec } from '../form.ts';
import { checkSize, unreadable } from '../refusal.ts';
import { compilePointer } from './pointer.ts';
import { readJson } from './reader.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** JSON: strict UTF-8, no name twice in an object, no number that would lose digits. Paths are JSON Pointers. */
export const json: FormCodec = {
  form: 'json',
  decode(bytes, limits = DEFAULT_LIMITS) {
    checkSize(bytes, limits.maxBytes);
    return readJson(utf8(bytes), limits);
  },
  compilePath: compilePointer,
};

function utf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw unreadable('JSON', 'it is not UTF-8', {});
  }
}
