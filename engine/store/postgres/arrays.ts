import type { Buffer as Bytes } from 'node:buffer';

/**
 * One-dimensional arrays in PostgreSQL's binary format, for `unnest`. A Buffer given to pg as a
 * parameter is sent as binary. Text literals cost ten times as much for bytes and double them on the wire.
 */
const OID = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, timestamptz: 1184 } as const;

const NULL = -1;
const HEADER_BYTES = 20;
/** Timestamps count microseconds from here. */
const EPOCH_2000_MS = 946_684_800_000;

/** How the elements of one type are written. */
interface Writer<T> {
  readonly oid: number;
  readonly sizeOf: (value: T) => number;
  readonly write: (out: Bytes, value: T, at: number) => void;
}

function encode<T>({ oid, sizeOf, write }: Writer<T>, values: readonly (T | null)[]): Bytes {
  let size = HEADER_BYTES;
  let nulls = 0;
  for (const value of values) {
    size += 4;
    if (value === null) nulls = 1;
    else size += sizeOf(value);
  }
  const out = Buffer.allocUnsafe(size);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(nulls, 4);
  out.writeInt32BE(oid, 8);
  out.writeInt32BE(values.length, 12);
  out.writeInt32BE(1, 16);
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === null) {
      at = out.writeInt32BE(NULL, at);
      continue;
    }
    const length = sizeOf(value);
    at = out.writeInt32BE(length, at);
    write(out, value, at);
    at += length;
  }
  return out;
}

const TEXT: Writer<string> = {
  oid: OID.text,
  sizeOf: (value) => Buffer.byteLength(value),
  write: (out, value, at) => void out.write(value, at),
};
const BYTEA: Writer<Uint8Array> = {
  oid: OID.bytea,
  sizeOf: ({ byteLength }) => byteLength,
  write: (out, value, at) => out.set(value, at),
};
const INT8: Writer<bigint | number> = {
  oid: OID.int8,
  sizeOf: () => 8,
  write: (out, value, at) => void out.writeBigInt64BE(BigInt(value), at),
};
const INT4: Writer<number> = {
  oid: OID.int4,
  sizeOf: () => 4,
  write: (out, value, at) => void out.writeInt32BE(value, at),
};
const BOOL: Writer<boolean> = {
  oid: OID.bool,
  sizeOf: () => 1,
  write: (out, value, at) => void out.writeUInt8(value ? 1 : 0, at),
};
const TIMESTAMPTZ: Writer<Date> = {
  oid: OID.timestamptz,
  sizeOf: () => 8,
  write: (out, value, at) => void out.writeBigInt64BE(BigInt(value.getTime() - EPOCH_2000_MS) * 1000n, at),
};

/** `uuid[]`, as text: an id needs no quotes, and to join them costs less than to read the digits of each. */
export function uuids(values: readonly (string | null)[]): string {
  return values.includes(null) ? `{${values.map((value) => value ?? 'NULL').join()}}` : `{${values.join()}}`;
}

/** `text[]` */
export function texts(values: readonly (string | null)[]): Bytes {
  return encode(TEXT, values);
}

/** `bytea[]` */
export function byteas(values: readonly (Uint8Array | null)[]): Bytes {
  return encode(BYTEA, values);
}

/** `int8[]` */
export function int8s(values: readonly (bigint | number | null)[]): Bytes {
  return encode(INT8, values);
}

/** `int4[]` */
export function int4s(values: readonly (number | null)[]): Bytes {
  return encode(INT4, values);
}

/** `boolean[]` */
export function booleans(values: readonly boolean[]): Bytes {
  return encode(BOOL, values);
}

/** `timestamptz[]` */
export function instants(values: readonly (Date | null)[]): Bytes {
  return encode(TIMESTAMPTZ, values);
}
