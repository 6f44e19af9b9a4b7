/** Frames of AMQP 0-9-1, written and read by hand: what a far side needs that is not amqplib. */

export interface Frame {
  /** 1 = method, 2 = content header, 3 = content body, 8 = heartbeat. */
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

const FRAME_END = 0xce;

export function method(
  channel: number,
  classId: number,
  methodId: number,
  fields: readonly Buffer[] = [],
): Buffer {
  const payload = Buffer.concat([short(classId), short(methodId), ...fields]);
  return Buffer.concat([
    Buffer.from([1]),
    short(channel),
    long(payload.length),
    payload,
    Buffer.from([FRAME_END]),
  ]);
}

export function short(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

export function long(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

export function longLong(value: number): Buffer {
  return Buffer.concat([long(0), long(value)]);
}

export function longString(text: string): Buffer {
  return Buffer.concat([long(text.length), Buffer.from(text)]);
}

export function shortString(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

/** Connection.Start, .Tune, .OpenOk and a Close with 541, as a broker says them. */
export const START = method(0, 10, 10, [
  Buffer.from([0, 9]),
  long(0),
  longString('PLAIN'),
  longString('en_US'),
]);
export const TUNE = method(0, 10, 30, [short(2047), long(131_072), short(10)]);
export const OPEN_OK = method(0, 10, 41, [shortString('')]);
export const CLOSE_541 = method(0, 10, 50, [short(541), shortString('INTERNAL_ERROR'), short(0), short(0)]);
export const CLOSE_OK = method(0, 10, 51);

/** Channel.OpenOk, Queue.DeclareOk and a Channel.Close with 403, on a channel. */
export const channelOpened = (channel: number) => method(channel, 20, 11, [Buffer.alloc(4)]);
export const queueThere = (channel: number) =>
  method(channel, 50, 11, [shortString('hisbridge.bookings'), long(0), long(0)]);
export const channelRefused = (channel: number) =>
  method(channel, 20, 40, [short(403), shortString('ACCESS_REFUSED'), short(50), short(10)]);

/** The whole frames at the head of what was received, and the rest. */
export function framesIn(received: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (received.length - at >= 8) {
    const size = received.readUInt32BE(at + 3);
    if (received.length - at < size + 8) break;
    frames.push({
      type: received.readUInt8(at),
      channel: received.readUInt16BE(at + 1),
      payload: received.subarray(at + 7, at + 7 + size),
    });
    at += size + 8;
  }
  return { frames, rest: received.subarray(at) };
}

/** `60.40` for Basic.Publish; empty for a frame that is no method. */
export function nameOf({ type, payload }: Frame): string {
  return type === 1 ? `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}` : '';
}
