import type { Learnt } from '../booking.ts';
import type { Arrival } from '../channel.ts';
import { BridgeError } from '../errors.ts';
import { DEFAULT_LIMITS, type FormCodec, type Limits } from '../forms/form.ts';
import type { SearchKey, SystemName } from '../message.ts';
import type { PartialReading, Read, Refusal } from '../route.ts';
import { type Unwrapped, unwrap } from './cloud-events.ts';
import type { Compilation } from './compilation.ts';
import type { FormName, ReadConfig } from './config.ts';
import { asIdentifier, type Learn, learnIn, type Place, placeIn } from './paths.ts';
import type { At } from './positions.ts';
import type { Schemas } from './schemas.ts';

/** What a channel reads, and where. */
interface Reader {
  readonly channel: string;
  readonly form: FormName;
  readonly codec: FormCodec;
  readonly limits: Limits;
  readonly schemas: Schemas;
  readonly systems: ReadonlySet<string>;
  readonly type: Place;
  readonly id: Place;
  /** Null where the channel's own system is the hospital. */
  readonly hospital: Place | null;
  readonly system: string;
  /** The places as routes.yaml says them, for refusals. */
  readonly written: Pick<ReadConfig, 'type' | 'hospital' | 'booking'>;
  readonly booking: Place | null;
  readonly learn: Learn;
  readonly search: readonly { readonly name: string; readonly place: Place; readonly private: boolean }[];
}

/** Compiles `read:` of the inbound channel at `at`. */
export function compileRead(
  compilation: Compilation,
  config: ReadConfig,
  at: At,
  {
    schemas,
    maxBytes,
    system,
  }: { readonly schemas: Schemas; readonly maxBytes: number; readonly system: string },
): Read {
  const form = config.as ?? 'json';
  const place = (written: string | undefined, ...key: string[]) =>
    placeIn(compilation, form, written, [...at, ...key]);
  const reader: Reader = {
    channel: String(at[1]),
    form,
    codec: compilation.tools.codecs[form],
    limits: { ...DEFAULT_LIMITS, maxBytes },
    schemas,
    systems: new Set(Object.keys(compilation.config.systems)),
    type: place(config.type, 'type'),
    id: place(config.id, 'id'),
    hospital: config.hospital === undefined ? null : place(config.hospital, 'hospital'),
    system,
    written: config,
    booking: config.booking === undefined ? null : place(config.booking, 'booking'),
    learn: learnIn(compilation, form, config.learn ?? {}, { at: [...at, 'learn'], from: 'arrival' }),
    search: Object.entries(config.search ?? {}).map(([name, word]) => {
      const where = typeof word === 'string' ? { at: word } : (word ?? {});
      const key = typeof word === 'string' ? ['search', name] : ['search', name, 'at'];
      return { name, place: place(where.at, ...key), private: 'private' in where && where.private === true };
    }),
  };
  return (arrival) => read(reader, arrival);
}

function read(reader: Reader, arrival: Arrival): ReturnType<Read> {
  let partial: PartialReading | null = null;
  try {
    const decoded = reader.codec.decode(arrival.body, reader.limits);
    const told: Unwrapped =
      reader.form === 'json' ? unwrap(decoded, arrival.headers) : { body: decoded, type: null, id: null };
    const known = identify(reader, told, arrival);
    partial = known.partial;
    const error = known.unusable ?? wrongWith(reader, told.body, partial);
    if (error !== null) return refused(error, error.code === 'type-unknown' ? withoutType(partial) : partial);
    const {
      type = '-',
      id = null,
      hospital = reader.system as SystemName,
      booking = null,
      search = [],
      learnt = {},
    } = partial;
    return {
      kind: 'read',
      reading: { form: reader.form, body: told.body, type, id, hospital, booking, search, learnt },
    };
  } catch (thrown) {
    const error = BridgeError.from(thrown, 'stage-crashed', reader.channel);
    return refused(error, partial ?? withoutBody(reader, arrival));
  }
}

/** What the protocol says beside the body can be told even when the body cannot be read. */
function withoutBody(reader: Reader, arrival: Arrival): PartialReading {
  return identify(reader, { body: undefined, type: null, id: null }, arrival).partial;
}

/** A type that nobody knows is a text of the sender's and not a word of ours: it is shown nowhere. */
function withoutType({ type: _unknown, ...rest }: PartialReading): PartialReading {
  return rest;
}

function refused(error: BridgeError, partial: PartialReading): Refusal {
  return { kind: 'refused', error, partial };
}

interface Known {
  readonly partial: PartialReading;
  /** The first identifier that no key can be made of. */
  readonly unusable: BridgeError | null;
}

/** Everything that can be told of the arrival. An identifier that cannot be used is left out. */
function identify(reader: Reader, told: Unwrapped, { headers }: Arrival): Known {
  const unusable: BridgeError[] = [];
  const key = (name: string, place: Place | null, first: string | null = null): string | undefined => {
    const text = first ?? asIdentifier(place?.(told.body, headers));
    if (text === undefined || usable(text)) return text;
    unusable.push(
      new BridgeError('key-unusable', `${name} cannot be used as an identifier`, { details: { at: name } }),
    );
    return undefined;
  };
  const type = key('type', reader.type, told.type);
  const id = key('id', reader.id, told.id);
  const booking = key('booking', reader.booking);
  const hospital = reader.hospital === null ? reader.system : key('hospital', reader.hospital);
  const search = reader.search.flatMap(({ name, place, private: isPrivate }): SearchKey[] => {
    const value = key(name, place);
    return value === undefined ? [] : [{ name, value, private: isPrivate }];
  });
  const learnt = withUsableReference(reader.learn(told.body, headers), unusable);
  const partial: PartialReading = {
    ...(type === undefined ? {} : { type }),
    ...(id === undefined ? {} : { id }),
    ...(hospital === undefined || !reader.systems.has(hospital) ? {} : { hospital: hospital as SystemName }),
    ...(booking === undefined ? {} : { booking }),
    search,
    learnt,
  };
  return { partial, unusable: unusable[0] ?? null };
}

/** Without the hospital's reference when no key can be made of it: bookings are found by it. */
function withUsableReference(learnt: Learnt, unusable: BridgeError[]): Learnt {
  if (learnt.hospitalRef === undefined || usable(learnt.hospitalRef)) return learnt;
  unusable.push(
    new BridgeError('key-unusable', 'hospitalRef cannot be used as an identifier', {
      details: { at: 'hospitalRef' },
    }),
  );
  const { hospitalRef: _, ...rest } = learnt;
  return rest;
}

/** Whether a key can be made of an identifier: at most 200 characters, no NUL. */
export function usable(text: string): boolean {
  return text.length <= 200 && !text.includes('\0');
}

/** What forbids the message, the most particular first; null when nothing does. */
function wrongWith(
  reader: Reader,
  body: unknown,
  { type, hospital, booking }: PartialReading,
): BridgeError | null {
  const { written, schemas, systems } = reader;
  const known = [...(schemas.types ?? [])].join(', ');
  const unlisted = schemas.types !== null && type !== undefined && !schemas.types.has(type);
  if (type === undefined || unlisted) {
    const message =
      type === undefined ? 'the message has no type' : 'no schema describes the type of the message';
    return new BridgeError('type-unknown', message, {
      details: missing(written.type, 'enum', known === '' ? 'send a type' : `send one of ${known}`),
    });
  }
  const broken = schemas.of(type)?.schema.check(body) ?? null;
  if (broken !== null) {
    const { pointer, rule, message, remedy } = broken;
    return new BridgeError('schema-violation', message, { details: { pointer, rule, remedy } });
  }
  if (hospital === undefined) {
    const details = missing(written.hospital, 'enum', `send one of ${[...systems].join(', ')}`);
    return new BridgeError('hospital-unknown', 'the hospital is no system of routes.yaml', { details });
  }
  if (reader.booking !== null && booking === undefined) {
    const details = missing(written.booking, 'required', 'send the reference of the booking');
    return new BridgeError('booking-missing', 'the message names no booking', { details });
  }
  return null;
}

function missing(
  pointer: string | undefined,
  rule: string,
  remedy: string,
): Readonly<Record<string, string>> {
  return { ...(pointer === undefined ? {} : { pointer }), rule, remedy };
}
