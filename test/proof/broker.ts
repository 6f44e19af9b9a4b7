import { performance } from 'node:perf_hooks';
import { connect } from 'amqplib';
import { applyTopology } from '../../channels/amqp/topology.ts';
import { topologyOf } from '../support/world-root.ts';
import { asked, publishOnce } from './load.ts';
import type { Place } from './place.ts';
import { type Cell, come, prove, said, type Trial } from './trial.ts';

export const BROKER: readonly Cell[] = [
  {
    id: 'R11',
    fault:
      "Dawy's queue unbound while events are published, its exchange gone; our own queue gone or of another type",
    expects:
      'what comes back is never counted as delivered, it is said within 10 s, and everything arrives when it is well again',
    cheap: false,
    async run(trial) {
      await Promise.all([nobodyBound(trial), exchangeGone(trial), queueGone(trial)]);
    },
  },
];

const SAID_MS = 10_000;

/** Confirmed and returned is not stored: Dawy's queue is not bound, and later it is. */
async function nobodyBound(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  await publishOnce(place, asked(20));
  await world.quiet();
  await world.dawy.deafen();
  trial.faults += 1;
  const toldBefore = await world.database.told();
  const from = engine.lines.length;
  const began = performance.now();
  await publishOnce(place, asked(40));
  const told = async () => (await world.database.told()) - toldBefore;
  await come('a word on it', async () => breakerOpened(engine.lines.slice(from)) || (await told()) > 0);
  const saidMs = performance.now() - began;
  prove((await told()) === 0, `${await told()} events that came back were counted as delivered`);
  await come('all answers of the hospitals', async () => (await answered(place)) === 60);
  prove((await told()) === 0, `${await told()} events that came back were counted as delivered`);
  trial.figure(`${await waiting(place)} events wait`);
  trial.took('said that events come back', saidMs, SAID_MS);
  await world.dawy.listenAgain();
  await world.quiet();
  await trial.judge(place);
}

/** The exchange for events is not there when the engine starts, and comes later. */
async function exchangeGone(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await world.dawy.deafen();
  await onBroker(place, (channel) => channel.deleteExchange(world.names.events));
  trial.faults += 1;
  await engine.start();
  await publishOnce(place, asked(20));
  await come('a word on it', () => breakerOpened(engine.lines));
  prove(
    (await world.database.told()) === 0,
    'events were counted as delivered to an exchange that is not there',
  );
  await onBroker(place, (channel) => channel.assertExchange(world.names.events, 'topic', { durable: true }));
  await world.dawy.listenAgain();
  await world.quiet();
  await trial.judge(place);
}

/** The queue the engine consumes is deleted under it; then one of another type stands in its place; then the right one. */
async function queueGone(trial: Trial): Promise<void> {
  const place = await trial.open({ engine: () => ({ program: INFORMED }) });
  const { world, engine } = place;
  await engine.start();
  await publishOnce(place, asked(20));
  await world.quiet();
  const from = engine.lines.length;
  const began = performance.now();
  await onBroker(place, (channel) => channel.deleteQueue(world.names.queue));
  trial.faults += 1;
  const closed = () =>
    said(engine.lines.slice(from), 'channel-closed').some(({ channel }) => channel === 'dawy-in');
  await come('a word on it', closed);
  const saidMs = performance.now() - began;
  trial.took('said that the queue is gone', saidMs, SAID_MS);
  await onBroker(place, (channel) => channel.assertQueue(world.names.queue, { durable: true }));
  trial.faults += 1;
  const other = world.addEngine({ program: INFORMED });
  const words = await other.launch({});
  prove(
    words?.some((text) => text.includes('topology')) ?? false,
    'an engine began on a queue of another type',
  );
  await onBroker(place, (channel) => channel.deleteQueue(world.names.queue));
  await applyTopology(world.brokerUrl, topologyOf(world.root, world.env), { settleMs: 0 });
  await publishOnce(place, asked(20));
  await world.quiet();
  await trial.judge(place);
}

const INFORMED = ['cli/hisbridge.ts', 'run', '--metrics-port', '0', '--log-level', 'info'];

async function onBroker(
  { world }: Place,
  act: (
    channel: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>,
  ) => Promise<unknown>,
): Promise<void> {
  const connection = await connect(world.brokerUrl);
  const channel = await connection.createChannel();
  await act(channel);
  await connection.close();
}

function breakerOpened(lines: readonly { readonly event?: string }[]): boolean {
  return said(lines, 'breaker-moved').some(({ channel, to }) => channel === 'dawy-out' && to === 'open');
}

async function answered({ world }: Place): Promise<number> {
  return (await world.database.answered('alnoor-out')) + (await world.database.answered('stmary-out'));
}

function waiting(place: Place): Promise<number> {
  return place.number(`select count(*) from hisbridge.delivery where channel = 'dawy-out'`);
}
