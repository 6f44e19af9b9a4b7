import { createHmac, hash } from 'node:crypto';

/**
 * The keyed digest of an ordering key, 16 bytes. Deliveries to one channel with the same lane are
 * delivered in order of `seq`. The same key gives the same lane on every channel, so that one
 * lock covers a booking, its way to the hospital and its way back to Dawy.
 */
export type Lane = Buffer;

/** Makes keyed digests, so that neither a patient's number nor a guess at one can be read out of a column. */
export interface Digest {
  /** What orders deliveries. */
  lane(orderingKey: string): Lane;
  /** What recognizes a repeat: the sender's id within one inbound channel. */
  dedupe(channel: string, id: string): Buffer;
  /** What finds a private search key by its exact value. */
  search(name: string, value: string): Buffer;
}

/** A conversation asks for its lane half a dozen times, from its arrival to its last event. */
const LANES_REMEMBERED = 10_000;

/** `secret` must stay the same for the life of the store: digests made with another one find nothing. */
export function keyedDigest(secret: string | Buffer): Digest {
  const digest = (purpose: string, ...parts: string[]): Buffer => {
    const mac = createHmac('sha256', secret).update(purpose);
    for (const part of parts) mac.update('\0').update(part);
    return mac.digest().subarray(0, 16);
  };
  const lanes = new Map<string, Lane>();
  const lane = (orderingKey: string): Lane => {
    const known = lanes.get(orderingKey);
    if (known !== undefined) return known;
    const made = digest('lane', orderingKey);
    if (lanes.size >= LANES_REMEMBERED) lanes.clear();
    lanes.set(orderingKey, made);
    return made;
  };
  return {
    lane,
    dedupe: (channel, id) => digest('dedupe', channel, id),
    search: (name, value) => digest('search', name, value),
  };
}

/** The advisory lock that guards a lane: its first 64 bits. Two lanes that share one only wait for each other. */
export function lockOf(lane: Lane): bigint {
  return lane.readBigInt64BE(0);
}

/** Every lock of a transaction, once, in the one order that cannot deadlock. */
export function sortedLocks(lanes: Iterable<Lane>): bigint[] {
  const locks = new Set<bigint>();
  for (const lane of lanes) locks.add(lockOf(lane));
  return [...locks].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** SHA-256 of a body: tells a repeat from another message under the same id. */
export function bodyDigest(body: Uint8Array): Buffer {
  return hash('sha256', body, 'buffer');
}
