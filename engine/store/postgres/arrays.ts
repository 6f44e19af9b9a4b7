import type { Buffer as Bytes } from 'node:buffer';

/**
 * One-dimensional arrays in PostgreSQL's binary format, for `unnest`. A Buffer given to pg as a
 * parameter is sent as binary. Text literals cost ten times as much for bytes and double them on the wire.
 */
const OID = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const;

const NULL = -1;
const HEADER_BYTES = 20;
/** Timestamps count microseconds from here. */
const EPOCH_2000_MS = 946_684_800_000;

function encode(oid: number, elements: readonly (Uint8Array | null)[]): Bytes {
  let size = HEADER_BYTES;
  let nulls = 0;
  for (const element of elements) {
    size += 4 + (element?.byteLength ?? 0);
    if (element === null) nulls = 1;
  }
  const out = Buffer.allocUnsafe(size);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(nulls, 4);
  out.writeInt32BE(oid, 8);
  out.writeInt32BE(elements.length, 12);
  out.writeInt32BE(1, 16);
  let at = HEADER_BYTES;
  for (const element of elements) {
    at = out.writeInt32BE(element?.byteLength ?? NULL, at);
    if (element === null) continue;
    out.set(element, at);
    at += element.byteLength;
  }
  return out;
}

function encodeWith<T>(oid: number, values: readonly (T | null)[], bytes: (value: T) => Uint8Array): Bytes {
  return encode(
    oid,
    values.map((value) => (value === null ? null : bytes(value))),
  );
}

function int8Bytes(value: bigint): Bytes {
  const out = Buffer.allocUnsafe(8);
  out.writeBigInt64BE(value);
  return out;
}

function int4Bytes(value: number): Bytes {
  const out = Buffer.allocUnsafe(4);
  out.writeInt32BE(value);
  return out;
}

/** `uuid[]` */
export function uuids(values: readonly (string | null)[]): Bytes {
  return encodeWith(OID.uuid, values, (value) => Buffer.from(value.replaceAll('-', ''), 'hex'));
}

/** `text[]` */
export function texts(values: readonly (string | null)[]): Bytes {
  return encodeWith(OID.text, values, (value) => Buffer.from(value, 'utf8'));
}

/** `bytea[]` */
export function byteas(values: readonly (Uint8Array | null)[]): Bytes {
  return encode(OID.bytea, values);
}

/** `int8[]` */
export function int8s(values: readonly (bigint | number | null)[]): Bytes {
  return encodeWith(OID.int8, values, (value) => int8Bytes(BigInt(value)));
}

/** `int4[]` */
export function int4s(values: readonly (number | null)[]): Bytes {
  return encodeWith(OID.int4, values, int4Bytes);
}

/** `boolean[]` */
export function booleans(values: readonly boolean[]): Bytes {
  return encodeWith(OID.bool, values, (value) => Buffer.of(value ? 1 : 0));
}

/** `timestamptz[]` */
export function instants(values: readonly (Date | null)[]): Bytes {
  return encodeWith(OID.timestamptz, values, (value) =>
    int8Bytes(BigInt(value.getTime() - EPOCH_2000_MS) * 1000n),
  );
}
