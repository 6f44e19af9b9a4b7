import { BridgeError } from '../engine/errors.ts';

/** The longest reference that is kept: what a key may be long. */
const LONGEST = 200;

/** The whole number from 1 up that an option says; throws `usage` otherwise. */
export function countIn(option: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 2_147_483_647) return count;
  throw new BridgeError('usage', `${option} is a whole number from 1 up`);
}

/** A text that must say something; throws `usage` when it is empty or blank. */
export function saidIn(what: string, text: string): string {
  if (text.trim() !== '') return text;
  throw new BridgeError('usage', `${what} is empty: say something`);
}

/** A reference of a hospital as it can be kept; throws `usage` otherwise. */
export function referenceIn(option: string, text: string): string {
  saidIn(option, text);
  if (text.length > LONGEST) throw new BridgeError('usage', `${option} is longer than ${LONGEST} characters`);
  if (/\p{Cc}/u.test(text)) throw new BridgeError('usage', `${option} holds control characters`);
  return text;
}
