/**
 * The floor: the conversation of the bench by hand, as fast as we can write it. Straight-line code for one kind of
 * message, one hospital and one day without trouble: no validation, templates, booking machine, lanes, retries or plan.
 * It keeps before it acknowledges, has the bytes on disk before it sends them, and settles; it leaves the rows the
 * engine leaves, and does outside what the engine does. A test compares both.
 */
import { hash, randomBytes } from 'node:crypto';
import { type ConsumeMessage, connect } from 'amqplib';
import pg from 'pg';
import { type Dispatcher, Pool } from 'undici';
import { keyedDigest } from '../engine/lane.ts';
import { byteas, instants, texts, uuids } from '../engine/store/postgres/arrays.ts';
import { END_DELIVERIES, ENDED, KEEP, type Sql, WRITE_ATTEMPTS } from './floor-statements.ts';

const BATCH = 200;
const PREFETCH = 400;
const IN_FLIGHT = 64;
const PLAN = hash('sha256', 'the floor has no plan');

const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new RangeError(`${name} is not set`);
  return value;
};

/** What Dawy asks for, as far as it is read. */
interface Asked {
  readonly booking: { readonly reference: string; readonly hospital: string };
  readonly slot: { readonly start: string; readonly end: string };
  readonly doctor: { readonly id: string };
  readonly patient: {
    readonly id: string;
    readonly name: string;
    readonly birthDate: string;
    readonly phone: string;
  };
  readonly note: string;
}

/** One arrival on its way to the hospital. */
interface Request extends Sending {
  readonly arrival: ConsumeMessage;
  readonly asked: Asked;
  readonly digest: Buffer;
  readonly context: Buffer;
}

/** A delivery whose bytes are fixed. */
interface Sending {
  readonly reference: string;
  readonly lane: Buffer;
  readonly message: string;
  readonly delivery: string;
  readonly edition: string;
  readonly key: string;
  readonly body: Buffer;
  readonly facts: Buffer;
  readonly startedAt: Date;
}

/** A delivery that was taken; with the event that follows when it was the hospital that took it. */
interface Taken {
  readonly sent: Sending;
  readonly at: Date;
  readonly summary: string;
  readonly response: Buffer;
  readonly answered: {
    readonly answer: string;
    readonly context: Buffer;
    readonly hospitalRef: string;
    readonly event: Event;
  } | null;
}

interface Event extends Sending {
  readonly said: Buffer;
}

const EVENTS = env('BENCH_EVENTS');
const ZERO = Buffer.of(0);
const digests = keyedDigest(env('HISBRIDGE_DIGEST_KEY'));
const sealed = (json: unknown): Buffer => Buffer.from(`\0${JSON.stringify(json)}`);
const digestOf = (body: Uint8Array): Buffer => hash('sha256', body, 'buffer');

let chance = randomBytes(8_192);
let drawn = 0;
const INSTANCE = newId();

/** A UUIDv7. Chance is drawn in large pieces. */
function newId(): string {
  if (drawn + 10 > chance.length) {
    chance = randomBytes(chance.length);
    drawn = 0;
  }
  const hex = chance.toString('hex', drawn, drawn + 10);
  drawn += 10;
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
}

/** What comes while a batch is on its way is the next one. */
function batched<Item>(flush: (items: readonly Item[]) => Promise<void>): (item: Item) => void {
  let waiting: Item[] = [];
  let busy = false;
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const items = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      await flush(items);
    }
    busy = false;
  };
  return (item) => {
    waiting.push(item);
    if (busy) return;
    busy = true;
    setImmediate(() => void run());
  };
}

async function openDatabase(): Promise<(calls: readonly [Sql, ...unknown[]][]) => Promise<void>> {
  const options =
    '-c jit=off -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';
  const client = new pg.Client({ connectionString: env('DATABASE_URL'), options, pipeline: true });
  await client.connect();
  return async (calls) => {
    const sent = [
      client.query('begin'),
      ...calls.map(([sql, ...values]) => client.query({ ...sql, values })),
    ];
    await Promise.all([...sent, client.query('commit')]);
  };
}

const [keepAll, settleAll] = await Promise.all([openDatabase(), openDatabase()]);
const broker = await connect(env('AMQP_URL'));
const [consuming, publishing] = await Promise.all([broker.createChannel(), broker.createConfirmChannel()]);
const hospital = new Pool(env('RIVERSIDE_URL'), { connections: IN_FLIGHT, pipelining: 1, allowH2: false });

const keep = batched<Request>(async (batch) => {
  const column = <T>(of: (one: Request) => T): T[] => batch.map(of);
  const messages = uuids(column(({ message }) => message));
  const references = texts(column(({ reference }) => reference));
  const ids = column(({ arrival }) => String(arrival.properties.messageId));
  const bodies = byteas(column(({ digest }) => digest));
  const contexts = byteas(column(({ context }) => context));
  const at = instants(column(({ startedAt }) => startedAt));
  const deliveries = uuids(column(({ delivery }) => delivery));
  const editions = uuids(column(({ edition }) => edition));
  await keepAll([
    [KEEP.dedupe, byteas(ids.map((id) => digests.dedupe('dawy-in', id))), messages, bodies],
    [KEEP.step, messages, references, contexts, at],
    [KEEP.booking, references, contexts],
    [KEEP.message, messages, references, byteas(column(headersOf)), byteas(column(bodyOf)), bodies, PLAN, at],
    [
      KEEP.keys,
      messages,
      references,
      texts(ids),
      texts(column(({ asked }) => asked.doctor.id)),
      texts(column(({ asked }) => digests.search('patient', asked.patient.id).toString('hex'))),
    ],
    [
      KEEP.delivery,
      deliveries,
      messages,
      byteas(column(({ lane }) => lane)),
      editions,
      references,
      at,
      INSTANCE,
    ],
    editionsOf(KEEP.edition, batch),
  ]);
  const last = batch.at(-1);
  if (last !== undefined) consuming.ack(last.arrival, true);
  for (const request of batch) send(request);
});

const settle = batched<Taken>(async (batch) => {
  const answers = batch.flatMap(({ sent, at, response, answered }) =>
    answered === null ? [] : [{ sent, at, response, ...answered }],
  );
  const deliveries = uuids(batch.map(({ sent }) => sent.delivery));
  const calls: [Sql, ...unknown[]][] = [
    [END_DELIVERIES, deliveries, INSTANCE],
    [
      WRITE_ATTEMPTS,
      uuids(batch.map(() => newId())),
      deliveries,
      uuids(batch.map(({ sent }) => sent.edition)),
      instants(batch.map(({ sent }) => sent.startedAt)),
      instants(batch.map(({ at }) => at)),
      texts(batch.map(({ summary }) => summary)),
      byteas(batch.map(({ response }) => response)),
      PLAN,
      INSTANCE,
    ],
  ];
  if (answers.length > 0) calls.push(...settleAnswers(answers));
  await settleAll(calls);
  for (const { event } of answers) publish(event);
});

type Answered = Pick<Taken, 'sent' | 'at' | 'response'> & NonNullable<Taken['answered']>;

function settleAnswers(answers: readonly Answered[]): [Sql, ...unknown[]][] {
  const column = <T>(of: (one: Answered) => T): T[] => answers.map(of);
  const references = texts(column(({ sent }) => sent.reference));
  const contexts = byteas(column(({ context }) => context));
  const at = instants(column((one) => one.at));
  const said = uuids(column(({ answer }) => answer));
  const events = uuids(column(({ event }) => event.message));
  return [
    [ENDED.step, said, references, contexts, at],
    [ENDED.booking, references, contexts],
    [ENDED.reference, texts(column(({ hospitalRef }) => hospitalRef)), references],
    [
      ENDED.answer,
      said,
      references,
      uuids(column(({ sent }) => sent.message)),
      byteas(column(({ response }) => response)),
      byteas(column(({ response }) => digestOf(response.subarray(1)))),
      PLAN,
      at,
    ],
    [
      ENDED.event,
      events,
      references,
      said,
      byteas(column(({ event }) => event.said)),
      byteas(column(({ event }) => digestOf(event.said.subarray(1)))),
      PLAN,
      at,
    ],
    [ENDED.keys, said, events, references, texts(column(({ sent }) => sent.key))],
    [
      ENDED.delivery,
      uuids(column(({ event }) => event.delivery)),
      events,
      byteas(column(({ event }) => event.lane)),
      uuids(column(({ event }) => event.edition)),
      references,
      at,
      INSTANCE,
    ],
    editionsOf(
      ENDED.edition,
      column(({ event }) => event),
    ),
  ];
}

function editionsOf(sql: Sql, sendings: readonly Sending[]): [Sql, ...unknown[]] {
  return [
    sql,
    uuids(sendings.map(({ edition }) => edition)),
    uuids(sendings.map(({ delivery }) => delivery)),
    texts(sendings.map(({ key }) => key)),
    byteas(sendings.map(({ body }) => body)),
    byteas(sendings.map(({ facts }) => facts)),
    PLAN,
  ];
}

function headersOf({ arrival: { properties, fields } }: Request): Buffer {
  return sealed({
    'amqp.messageId': properties.messageId,
    'amqp.type': properties.type,
    'amqp.contentType': properties.contentType,
    'amqp.routingKey': fields.routingKey,
    'amqp.redelivered': String(fields.redelivered),
  });
}

function bodyOf({ arrival: { content } }: Request): Buffer {
  return Buffer.concat([ZERO, content]);
}

function arrived(arrival: ConsumeMessage): void {
  const asked = JSON.parse(arrival.content.toString()) as Asked;
  const { booking, slot, doctor, patient, note } = asked;
  const { reference } = booking;
  const edition = newId();
  const key = edition.replaceAll('-', '').slice(12);
  keep({
    arrival,
    asked,
    reference,
    lane: digests.lane(reference),
    digest: digestOf(arrival.content),
    context: sealed({
      asked: { slotStart: slot.start, slotEnd: slot.end, doctor: doctor.id, patient: patient.id },
    }),
    message: newId(),
    delivery: newId(),
    edition,
    key,
    body: sealed({
      externalReference: reference,
      doctorId: doctor.id,
      start: slot.start,
      end: slot.end,
      patient: { id: patient.id, name: patient.name, birthDate: patient.birthDate, phone: patient.phone },
      note,
    }),
    facts: sealed({
      booking: { reference, state: 'requested' },
      edition: { key },
      system: { name: 'riverside', timeZone: 'Asia/Riyadh' },
    }),
    startedAt: new Date(),
  });
}

/** Collects one answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: Request;
  #body: Buffer = ZERO;
  #status = 0;

  constructor(request: Request) {
    this.#request = request;
  }

  onRequestStart(): void {
    // undici asks for it.
  }

  onResponseStart(_: unknown, status: number): void {
    this.#status = status;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#body = Buffer.concat([this.#body, chunk]);
  }

  onResponseEnd(): void {
    if (this.#status !== 201) throw new RangeError(`the hospital answered ${this.#status}`);
    answered(this.#request, this.#body);
  }

  onResponseError(_: unknown, error: Error): void {
    throw error;
  }
}

function send(request: Request): void {
  const headers = {
    'User-Agent': 'hisbridge',
    'Accept-Encoding': 'identity',
    'Content-Type': 'application/json',
    Accept: 'application/json',
    'Idempotency-Key': request.key,
  };
  const body = request.body.subarray(1);
  hospital.dispatch({ method: 'POST', path: '/appointments', headers, body }, new Exchange(request));
}

function answered(sent: Request, response: Buffer): void {
  const at = new Date();
  const { id, start, end } = JSON.parse(response.toString('utf8', 1)) as {
    id: string;
    start: string;
    end: string;
  };
  const { reference, lane, asked } = sent;
  const answer = newId();
  const edition = newId();
  const key = edition.replaceAll('-', '').slice(12);
  const booking = {
    reference,
    state: 'confirmed',
    hospitalRef: id,
    slotStart: start,
    slotEnd: end,
  };
  const data = { booking: { ...booking, hospital: 'riverside' }, asked: 'booking.requested', cause: answer };
  settle({
    sent,
    at,
    summary: 'riverside-out answered 201',
    response,
    answered: {
      answer,
      hospitalRef: id,
      context: sealed({
        hospitalRef: id,
        agreed: { slotStart: start, slotEnd: end, doctor: asked.doctor.id, patient: asked.patient.id },
      }),
      event: {
        reference,
        lane,
        message: newId(),
        delivery: newId(),
        edition,
        key,
        said: sealed({ type: 'booking.confirmed', at, ...data }),
        body: sealed({
          specversion: '1.0',
          id: key,
          source: 'hisbridge',
          type: 'booking.confirmed',
          time: at,
          subject: reference,
          datacontenttype: 'application/json',
          data,
        }),
        facts: sealed({ booking, edition: { key }, system: { name: 'dawy', timeZone: null } }),
        startedAt: at,
      },
    },
  });
}

function publish(event: Event): void {
  const properties = {
    persistent: true,
    mandatory: true,
    messageId: event.key,
    type: 'booking.confirmed',
    contentType: 'application/cloudevents+json',
    appId: 'hisbridge',
  };
  publishing.publish(EVENTS, 'booking.confirmed', event.body.subarray(1), properties, (error: unknown) => {
    if (error !== null && error !== undefined) throw error;
    settle({
      sent: event,
      at: new Date(),
      summary: 'the broker confirmed it',
      response: ZERO,
      answered: null,
    });
  });
}

publishing.on('return', () => {
  throw new RangeError('no queue takes the events');
});
await consuming.prefetch(PREFETCH);
await consuming.consume(env('BENCH_QUEUE'), (message) => {
  if (message === null) throw new RangeError('the queue is gone');
  arrived(message);
});
console.log(JSON.stringify({ event: 'ready' }));
process.once('SIGTERM', () => process.exit(0));
