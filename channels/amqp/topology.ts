import type { Channel, ChannelModel } from 'amqplib';
import rascal from 'rascal';
import { type Clock, SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { Topology } from './desired.ts';
import { Line } from './line.ts';

export { type AmqpChannel, planTopology, type Topology } from './desired.ts';

/** What the broker says about one thing a plan needs. */
export interface Finding {
  /** `queue hisbridge.bookings`, `binding dawy.bookings[booking.#] -> hisbridge.bookings`. */
  readonly what: string;
  /** AMQP does not show bindings: one is *unseen* while both its ends are there. */
  readonly state: 'there' | 'missing' | 'differs' | 'unseen';
  /** What a person does about it; empty when there is nothing to do. */
  readonly remedy: string;
}

export interface ApplyOptions {
  /** How long a queue must exist before traffic may reach it. */
  readonly settleMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

// RabbitMQ 3.10.8 loses a quorum queue, and all that was confirmed into it, when the broker dies within a second of
// its declaration. Nothing AMQP can ask tells when that is over, so this is a time: measured, with a margin.
const SETTLE_MS = 5_000;

/** Compares the broker with what is desired and changes nothing. Throws `broker-unavailable`. */
export async function diffTopology(url: string, desired: Topology): Promise<readonly Finding[]> {
  const line = new Line(url, new SystemClock());
  try {
    return await examine(await line.connection(), desired);
  } finally {
    await line.close();
  }
}

/**
 * Declares what is missing, then waits until a new queue is safe to use. Deletes nothing and changes no queue that is
 * there. Throws `topology-differs`, having declared nothing, when something differs or belongs to somebody else.
 */
export async function applyTopology(
  url: string,
  desired: Topology,
  { settleMs = SETTLE_MS, clock = new SystemClock(), signal }: ApplyOptions = {},
): Promise<readonly Finding[]> {
  const before = await diffTopology(url, desired);
  const obstacle = before.find(
    ({ state, what }) => state === 'differs' || (state === 'missing' && isForeign(what)),
  );
  if (obstacle !== undefined) {
    throw new BridgeError('topology-differs', `${obstacle.what}: ${obstacle.state}. ${obstacle.remedy}`);
  }
  await declare(url, desired);
  if (before.some(({ state, what }) => state === 'missing' && what.startsWith('queue '))) {
    await clock.sleep(settleMs, signal);
  }
  return await diffTopology(url, desired);
}

/** The first finding that keeps traffic from flowing. */
export function firstDifference(findings: readonly Finding[]): Finding | null {
  return findings.find(({ state }) => state === 'missing' || state === 'differs') ?? null;
}

/** Asks for each thing on a channel of its own, because a no ends the channel. */
export async function examine(connection: ChannelModel, desired: Topology): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { name, arguments: args } of desired.queues) {
    findings.push(
      await ask(connection, `queue ${name}`, [
        (channel) => channel.checkQueue(name),
        (channel) => channel.assertQueue(name, { durable: true, arguments: args }),
      ]),
    );
  }
  for (const { name, type } of desired.exchanges) {
    findings.push(
      await ask(connection, `exchange ${name}`, [
        (channel) => channel.checkExchange(name),
        (channel) => channel.assertExchange(name, type, { durable: true }),
      ]),
    );
  }
  for (const name of desired.foreign) {
    findings.push(await ask(connection, `${FOREIGN}${name}`, [(channel) => channel.checkExchange(name)]));
  }
  return [...findings, ...bindingsOf(desired, findings)];
}

const FOREIGN = 'exchange of another system ';

function isForeign(what: string): boolean {
  return what.startsWith(FOREIGN);
}

type Question = (channel: Channel) => Promise<unknown>;

/** The first question asks whether it is there, the second, only of what is there, whether it is as desired. */
async function ask(connection: ChannelModel, what: string, questions: readonly Question[]): Promise<Finding> {
  for (const question of questions) {
    const code = await refusal(connection, question);
    if (code === null) continue;
    if (code === 404) return { what, state: 'missing', remedy: remedyOf(what, 'missing') };
    // 405: another connection has it for itself alone.
    if (code === 405 || code === 406) return { what, state: 'differs', remedy: remedyOf(what, 'differs') };
    const details = { code };
    throw code === 403
      ? new BridgeError('credentials-refused', `the broker does not let us ask about ${what}`, { details })
      : new BridgeError('broker-unavailable', `the broker did not answer about ${what}`, { details });
  }
  return { what, state: 'there', remedy: '' };
}

async function refusal(connection: ChannelModel, question: Question): Promise<number | null> {
  const channel = await opened(connection);
  let code: unknown = 0;
  channel.on('error', (error: Error & { code?: number }) => {
    code = error.code;
  });
  try {
    await question(channel);
  } catch {
    // The channel is closed already; its reply code is the answer.
    return typeof code === 'number' ? code : 0;
  }
  await channel.close().catch(() => undefined); // the answer is there; the connection may be gone
  return null;
}

async function opened(connection: ChannelModel): Promise<Channel> {
  try {
    return await connection.createChannel();
  } catch (cause) {
    throw new BridgeError('broker-unavailable', 'the connection to the broker closed', { cause });
  }
}

function remedyOf(what: string, state: 'missing' | 'differs'): string {
  if (state === 'missing') {
    return isForeign(what)
      ? 'Its owner declares it: start that system once, or correct `bind.exchange`.'
      : 'Run `hisbridge topology apply`.';
  }
  return 'It was declared otherwise, and RabbitMQ cannot change that: drain it, delete it, then run `hisbridge topology apply`.';
}

function bindingsOf(desired: Topology, findings: readonly Finding[]): readonly Finding[] {
  const absent = new Set(
    findings.filter(({ state }) => state === 'missing').map(({ what }) => what.split(' ').at(-1)),
  );
  return desired.bindings.map(({ queue, exchange, key }) => {
    const what = `binding ${exchange}[${key}] -> ${queue}`;
    return absent.has(queue) || absent.has(exchange)
      ? { what, state: 'missing', remedy: 'Run `hisbridge topology apply`.' }
      : {
          what,
          state: 'unseen',
          remedy: 'None: `hisbridge topology apply` makes it again, which is harmless.',
        };
  });
}

async function declare(url: string, desired: Topology): Promise<void> {
  const vhost = decodeURIComponent(new URL(url).pathname.slice(1)) || '/';
  try {
    const broker = await rascal.createBrokerAsPromised({ vhosts: { [vhost]: vhostConfig(url, desired) } });
    broker.on('error', () => undefined); // it has nothing more to do; without a listener this ends the process
    await broker.shutdown();
  } catch (cause) {
    await abandon(cause);
    throw undeclared(cause);
  }
}

/** A broker that refuses says why; one that says nothing was not reached. */
function undeclared(cause: unknown): BridgeError {
  const what = 'the topology could not be declared';
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'number')
    return new BridgeError('broker-unavailable', what, { cause });
  const code = cause.code === 403 ? 'credentials-refused' : 'topology-differs';
  return new BridgeError(code, `${what}: ${cause.message}`, { cause, details: { code: cause.code } });
}

function vhostConfig(url: string, { queues, exchanges, foreign, bindings }: Topology) {
  return {
    connection: { url, retry: false as const },
    exchanges: Object.fromEntries([
      ...exchanges.map(
        ({ name, type }) => [name, { type, assert: true, check: false, options: { durable: true } }] as const,
      ),
      ...foreign.map((name) => [name, { assert: false, check: true }] as const),
    ]),
    queues: Object.fromEntries(
      queues.map(({ name, arguments: args }) => [
        name,
        { options: { durable: true as const, arguments: args } },
      ]),
    ),
    bindings: Object.fromEntries(
      bindings.map(({ queue, exchange, key }) => [
        `${exchange}[${key}] -> ${queue}`,
        { source: exchange, destination: queue, destinationType: 'queue' as const, bindingKey: key },
      ]),
    ),
  };
}

/** A broker of rascal that could not be built still holds its connection and a timer; it hides in the error. */
async function abandon(cause: unknown): Promise<void> {
  if (!(cause instanceof Error)) return;
  const { broker } = cause as { broker?: symbol };
  if (broker === undefined) return;
  const built = Reflect.get(cause, broker) as Awaited<ReturnType<typeof rascal.createBrokerAsPromised>>;
  built.on('error', () => undefined); // what went wrong is already known
  await built.shutdown();
}
