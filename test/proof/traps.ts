import type { Trap } from './link.ts';

/** The command tag with which PostgreSQL answers a COMMIT. */
const COMMITTED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');
/** `basic.deliver`: class 60, method 60, at the begin of a method frame. */
const DELIVER = Buffer.from([0, 60, 0, 60]);
const FRAME_HEAD = 7;

/** The reply of PostgreSQL to a COMMIT, of connections of one purpose: the transaction is done, and nobody knows. */
export function commitReply(purpose: 'keep' | 'settle', nth = 1): Trap {
  let seen = 0;
  return (chunk, from, line) => {
    if (from !== 'server' || !line.hello.includes(`hisbridge ${purpose} `)) return null;
    const at = chunk.indexOf(COMMITTED);
    if (at >= 0) seen += 1;
    return at >= 0 && seen === nth ? at : null;
  };
}

/** The middle of the frames with which the broker brings its n-th message. */
export function halfDelivery(nth: number): Trap {
  let seen = 0;
  return (chunk, from) => {
    if (from !== 'server') return null;
    for (let at = chunk.indexOf(DELIVER); at >= 0; at = chunk.indexOf(DELIVER, at + 1)) {
      const start = at - FRAME_HEAD;
      if (start < 0 || chunk[start] !== 1) continue;
      seen += 1;
      if (seen < nth) continue;
      // Method, header, body: half of what is here of the three, so that the frame it ends in is torn.
      const method = FRAME_HEAD + chunk.readUInt32BE(start + 3) + 1;
      return Math.min(chunk.length - 1, start + method + FRAME_HEAD + 10);
    }
    return null;
  };
}

/** What waits, with an octet where the frame ends that no frame ends with. */
export function damaged(waiting: Buffer): Buffer {
  const end = waiting.indexOf(0xce);
  return Buffer.concat([waiting.subarray(0, end), Buffer.from([0x00]), waiting.subarray(end + 1)]);
}

/** The middle of the n-th request to a hospital that asks for something new. */
export function halfRequest(nth: number): Trap {
  let seen = 0;
  return (chunk, from) => {
    if (from !== 'client' || !chunk.subarray(0, 5).equals(Buffer.from('POST '))) return null;
    seen += 1;
    return seen === nth ? Math.floor(chunk.length / 2) : null;
  };
}

/** The first byte of the n-th answer of a hospital. */
export function answerOf(nth: number): Trap {
  let seen = 0;
  return (chunk, from) => {
    if (from !== 'server' || !chunk.subarray(0, 5).equals(Buffer.from('HTTP/'))) return null;
    seen += 1;
    return seen === nth ? 0 : null;
  };
}
