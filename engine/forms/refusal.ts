import { BridgeError } from '../errors.ts';

/** A place in a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where an offset of a text is, for people. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** Refuses a body; `reason` says what is wrong with it and never repeats any of it. */
export function unreadable(
  form: string,
  reason: string,
  details: Readonly<Record<string, string | number>>,
): BridgeError {
  const where = [
    ...(details['pointer'] === undefined ? [] : [`at ${details['pointer'] || 'the root'}`]),
    ...(details['line'] === undefined ? [] : [`line ${details['line']} column ${details['column']}`]),
  ];
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  return new BridgeError('body-unreadable', `the body is not readable ${form}: ${reason}${place}`, {
    details,
  });
}

/** Refuses a body that is larger than allowed, before anything is made of it. */
export function checkSize(bytes: Uint8Array, maxBytes: number): void {
  if (bytes.byteLength <= maxBytes) return;
  throw new BridgeError('body-too-large', `the body has ${bytes.byteLength} bytes, ${maxBytes} are allowed`, {
    details: { bytes: bytes.byteLength, maxBytes },
  });
}

/** The refusal of a body that is nested too deep. */
export function tooDeep(maxDepth: number): BridgeError {
  return new BridgeError('body-too-deep', `the body is nested deeper than ${maxDepth} levels`, {
    details: { maxDepth },
  });
}
