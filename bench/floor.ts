/**
 * The floor: the conversation of the bench by hand, as fast as we can write it. Straight-line code for one kind of
 * message, one hospital and days without trouble: no validation, templates, booking machine, lanes, retries or plan.
 * It keeps before it acknowledges, has the bytes on disk before it sends them, and settles; it leaves the rows that
 * the engine leaves, and does outside what the engine does (a test compares both). Whatever fails ends the process.
 */
import { hash } from 'node:crypto';
import { connect } from 'amqplib';
import pg from 'pg';
import { type Dispatcher, Pool } from 'undici';
import { keyedDigest } from '../engine/lane.ts';
import { byteas, instants, texts } from '../engine/store/postgres/arrays.ts';
import {
  type Answer,
  answerOf,
  newId,
  PLAIN,
  type Request,
  requestOf,
  type Sending,
} from './floor-conversation.ts';
import { END_DELIVERIES, ENDED, KEEP, type Sql, WRITE_ATTEMPTS } from './floor-statements.ts';

const BATCH = 200;
const PREFETCH = 400;
/** As many requests at once as routes.yaml of the bench allows the engine. */
const CONNECTIONS = 256;
const PLAN = hash('sha256', 'the floor has no plan');
const INSTANCE = newId().toString('hex');
const UUID = 2950;

/** A delivery that was taken; with the hospital's answer when it was the hospital that took it. */
interface Taken {
  readonly sent: Sending;
  readonly at: Date;
  readonly summary: string;
  readonly response: Buffer;
  readonly answer: Answer | null;
}

type Answered = Taken & { readonly answer: Answer };

type Call = readonly [Sql, ...unknown[]];

const digests = keyedDigest(env('HISBRIDGE_DIGEST_KEY'));
const [keepAll, settleAll] = await Promise.all([openDatabase(), openDatabase()]);
const broker = await connect(env('AMQP_URL'));
const [consuming, publishing] = await Promise.all([broker.createChannel(), broker.createConfirmChannel()]);
const hospital = new Pool(env('RIVERSIDE_URL'), { connections: CONNECTIONS, pipelining: 1, allowH2: false });
const events = env('BENCH_EVENTS');

const keep = batched<Request>(async (batch) => {
  const of = <T>(one: (request: Request) => T): T[] => batch.map(one);
  const messages = ids(of(({ message }) => message));
  const references = texts(of(({ reference }) => reference));
  const contexts = byteas(of(({ context }) => context));
  const bodyDigests = byteas(of(({ digest }) => digest));
  const at = instants(of((request) => request.at));
  const headers = byteas(of((request) => request.headers));
  const bodies = byteas(of(({ arrived }) => arrived));
  const dawysIds = texts(of(({ id }) => id));
  const doctors = texts(of(({ asked }) => asked.doctor.id));
  const patients = texts(of(({ asked }) => digests.search('patient', asked.patient.id).toString('hex')));
  await keepAll([
    [KEEP.dedupe, byteas(of(({ id }) => digests.dedupe('dawy-in', id))), messages, bodyDigests],
    [KEEP.step, messages, references, contexts, at],
    [KEEP.booking, references, contexts],
    [KEEP.message, messages, references, headers, bodies, bodyDigests, PLAN, at],
    [KEEP.keys, messages, references, dawysIds, doctors, patients],
    ...beginning(KEEP, batch),
  ]);
  consuming.ack({ fields: { deliveryTag: batch.at(-1)?.tag } } as never, true);
  for (const request of batch) send(request);
});

const settle = batched<Taken>(async (batch) => {
  const of = <T>(one: (taken: Taken) => T): T[] => batch.map(one);
  const deliveries = ids(of(({ sent }) => sent.delivery));
  const editions = ids(of(({ sent }) => sent.edition));
  const started = instants(of(({ sent }) => sent.at));
  const ended = instants(of(({ at }) => at));
  const summaries = texts(of(({ summary }) => summary));
  const responses = byteas(of(({ response }) => response));
  const answers = batch.filter((taken): taken is Answered => taken.answer !== null);
  await settleAll([
    [END_DELIVERIES, deliveries, INSTANCE],
    [
      WRITE_ATTEMPTS,
      ids(of(newId)),
      deliveries,
      editions,
      started,
      ended,
      summaries,
      responses,
      PLAN,
      INSTANCE,
    ],
    ...(answers.length > 0 ? answering(answers) : []),
  ]);
  for (const { answer } of answers) publish(answer.event);
});

/** The answers as messages, what they do to their bookings, and the events that follow. */
function answering(batch: readonly Answered[]): readonly Call[] {
  const of = <T>(one: (taken: Answered) => T): T[] => batch.map(one);
  const references = texts(of(({ sent }) => sent.reference));
  const contexts = byteas(of(({ answer }) => answer.context));
  const at = instants(of((taken) => taken.at));
  const said = ids(of(({ answer }) => answer.id));
  const causes = ids(of(({ sent }) => sent.message));
  const responses = byteas(of(({ response }) => response));
  const digestsOfThem = byteas(of(({ answer }) => answer.digest));
  const told = ids(of(({ answer }) => answer.event.message));
  const bodies = byteas(of(({ answer }) => answer.event.said));
  const bodyDigests = byteas(of(({ answer }) => answer.event.digest));
  return [
    [ENDED.step, said, references, contexts, at],
    [ENDED.booking, references, contexts],
    [ENDED.reference, texts(of(({ answer }) => answer.hospitalRef)), references],
    [ENDED.answer, said, references, causes, responses, digestsOfThem, PLAN, at],
    [ENDED.event, told, references, said, bodies, bodyDigests, PLAN, at],
    [ENDED.keys, said, told, references, texts(of(({ sent }) => sent.key))],
    ...beginning(
      ENDED,
      of(({ answer }) => answer.event),
    ),
  ];
}

/** Deliveries that begin as running, and their bytes: nothing has to be waited for before it is sent. */
function beginning(
  sql: { readonly delivery: Sql; readonly edition: Sql },
  batch: readonly Sending[],
): Call[] {
  const of = <T>(one: (sending: Sending) => T): T[] => batch.map(one);
  const deliveries = ids(of(({ delivery }) => delivery));
  const messages = ids(of(({ message }) => message));
  const lanes = byteas(of(({ lane }) => lane));
  const editions = ids(of(({ edition }) => edition));
  const references = texts(of(({ reference }) => reference));
  const at = instants(of((sending) => sending.at));
  const keys = texts(of(({ key }) => key));
  const bodies = byteas(of(({ body }) => body));
  const facts = byteas(of((sending) => sending.facts));
  return [
    [sql.delivery, deliveries, messages, lanes, editions, references, at, INSTANCE],
    [sql.edition, editions, deliveries, keys, bodies, facts, PLAN],
  ];
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

/** Collects one answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: Request;
  readonly #chunks: Buffer[] = [PLAIN];
  #status = 0;

  constructor(request: Request) {
    this.#request = request;
  }

  onRequestStart(): void {
    // undici insists on it.
  }

  onResponseStart(_: unknown, status: number): void {
    this.#status = status;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#status !== 201) throw new RangeError(`the hospital answered ${this.#status}`);
    const response = Buffer.concat(this.#chunks);
    const answer = answerOf(this.#request, response);
    settle({ sent: this.#request, at: new Date(), summary: 'riverside-out answered 201', response, answer });
  }

  onResponseError(_: unknown, error: Error): void {
    throw error;
  }
}

function publish(event: Sending): void {
  const properties = {
    persistent: true,
    mandatory: true,
    messageId: event.key,
    type: 'booking.confirmed',
    contentType: 'application/cloudevents+json',
    appId: 'hisbridge',
  };
  publishing.publish(events, 'booking.confirmed', event.body.subarray(1), properties, (error: unknown) => {
    if (error instanceof Error) throw error;
    settle({
      sent: event,
      at: new Date(),
      summary: 'the broker confirmed it',
      response: PLAIN,
      answer: null,
    });
  });
}

/** Runs the calls in one transaction and one round trip. */
async function openDatabase(): Promise<(calls: readonly Call[]) => Promise<void>> {
  const options =
    '-c jit=off -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan';
  const client = new pg.Client({ connectionString: env('DATABASE_URL'), options, pipeline: true });
  await client.connect();
  const { stream } = client.connection;
  return async (calls) => {
    // One write for all; pg by itself makes one for each statement.
    stream.cork();
    const sent = [
      client.query('begin'),
      ...calls.map(([sql, ...values]) => client.query({ ...sql, values })),
    ];
    sent.push(client.query('commit'));
    stream.uncork();
    await Promise.all(sent);
  };
}

/** `uuid[]` of ids that are bytes already: a `bytea[]` that says so. */
function ids(values: readonly Buffer[]): Buffer {
  const array = byteas(values);
  array.writeInt32BE(UUID, 8);
  return array;
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

function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new RangeError(`${name} is not set`);
  return value;
}

publishing.on('return', () => {
  throw new RangeError('no queue takes the events');
});
await consuming.prefetch(PREFETCH);
await consuming.consume(env('BENCH_QUEUE'), (message) => {
  if (message === null) throw new RangeError('the queue is gone');
  keep(requestOf(message, digests));
});
console.log(JSON.stringify({ event: 'ready' }));
process.once('SIGTERM', () => process.exit(0));
