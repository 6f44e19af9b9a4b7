import { bodyDigest } from '../../engine/lane.ts';
import type { MessageId } from '../../engine/message.ts';
import { check, type Findings } from '../crash/checker.ts';
import type { Evidence, Named, Published } from '../crash/evidence.ts';
import { Breach, type Broken } from './watch.ts';
import type { World } from './world.ts';

type Row = ReturnType<World['database']['tables']['inOrder']>[number];

const NAMES: Readonly<Record<Exclude<keyof Findings, 'summary'>, Broken>> = {
  lost: 'lost',
  duplicateEffects: 'done twice',
  orderBreaks: 'done out of order',
  unknown: 'done unasked',
  falselyTold: 'told falsely',
};

/** Whether nothing can move any more without a person. */
export function isQuiet(world: World): boolean {
  if (!world.isWhole || !world.broker.isEmpty) return false;
  const rows = world.database.tables.inOrder();
  const blocked = new Set(rows.filter(isStopped).map(laneOf));
  return rows.every((row) => isStopped(row) || (row.state === 'waiting' && blocked.has(laneOf(row))));
}

/** Judges a history that is over. Throws a `Breach` for the first thing that should not be. */
export function judge(world: World): Findings {
  world.watch.ledger();
  for (const row of world.database.tables.inOrder()) if (isStopped(row)) explain(row, world);
  const found = check(evidenceOf(world));
  for (const [kind, name] of Object.entries(NAMES)) {
    const [first] = found[kind as keyof typeof NAMES];
    if (first !== undefined)
      throw new Breach(name, `${first.hospital} ${first.reference} ${first.type}: ${first.why}`);
  }
  return found;
}

/** What can be seen from outside, and what stands before a person. */
function evidenceOf(world: World): Evidence {
  const { published, refused } = standing(world);
  const { open, messages } = world.database.tables;
  const held: Named[] = [];
  const heldKeys = new Set<string>();
  for (const row of open.values()) {
    const message = messages.get(row.message);
    if (message === undefined || row.bookingRef === null) continue;
    held.push({ reference: row.bookingRef, type: message.message.type });
    const edition = world.database.tables.editions.get(row.edition);
    if (edition !== undefined) heldKeys.add(edition.key);
  }
  // A no whose delivery stands before a person is that person's to tell.
  const journals = Object.fromEntries(
    Object.entries(world.hospitals).map(([name, { journal }]) => [
      name,
      journal.map((line) =>
        heldKeys.has(line.key ?? '') && line.effect === 'none' ? { ...line, answer: '-' } : line,
      ),
    ]),
  );
  return { published, refused, journals, held, events: world.dawy.events };
}

/** What Dawy asked for, and what of it the engine refused. Another body under the same id is another message. */
function standing({ dawy, database }: World) {
  const kept = new Map<string, boolean>();
  for (const { message, refused } of database.tables.messages.values()) {
    const id = message.headers['amqp.messageId'];
    if (id === undefined) continue;
    const name = `${id} ${bodyDigest(message.body).toString('hex')}`;
    kept.set(name, refused === null || kept.get(name) === true);
  }
  const published: Published[] = [];
  const refused: { readonly messageId: string }[] = [];
  for (const { id, asks, order, digest } of dawy.published) {
    const messageId = `${id} ${digest.toString('hex')}`;
    const isTaken = kept.get(messageId);
    if (isTaken === undefined) throw new Breach('lost', `nothing is known of ${id}, which was published`);
    if (asks !== null) published.push({ ...asks, messageId, order });
    if (!isTaken) refused.push({ messageId });
  }
  return { published, refused };
}

const isStopped = ({ state }: Row): boolean => state === 'held' || state === 'dead';
const laneOf = ({ channel, lane }: Row): string => `${channel} ${lane?.toString('hex')}`;

/** What stands before a person stands there for a reason that was seen. */
function explain({ id, channel, state, error, edition, message, bookingRef }: Row, world: World): void {
  const { weather, hospitals, database } = world;
  const hospital = Object.values(hospitals).find(({ name }) => `${name}-out` === channel);
  const key = database.tables.editions.get(edition)?.key;
  const answers = (hospital?.journal ?? []).filter((line) => line.key === key).map(({ answer }) => answer);
  const slept = weather.seen.has('site asleep');
  const because = (): boolean => {
    switch (error?.code) {
      case 'time-exhausted':
      case 'route-gone':
        return slept;
      case 'attempts-exhausted':
        return answers.filter((answer) => answer === '429').length >= 8 || channel === 'dawy-out';
      case 'request-refused':
        return answers.some((answer) => answer.startsWith('422') || answer.startsWith('404'));
      case 'fact-missing':
        return wasRejected(bookingRef, world);
      default:
        return (state === 'held' && hospital?.name === 'lakeside') || (state === 'held' && slept);
    }
  };
  if (!because())
    throw new Breach(
      'stopped without a reason',
      `${id} to ${channel} is ${state}: ${error?.code}; ${answers.join()} ${typeOf(message, world)}`,
    );
}

function typeOf(id: MessageId, { database }: World): string {
  return database.tables.messages.get(id)?.message.type ?? '-';
}

/** A booking the hospital never had has no reference there, and what is asked of it later cannot be rendered. */
function wasRejected(reference: string | null, { hospitals }: World): boolean {
  return Object.values(hospitals).some(({ journal }) =>
    journal.some(
      (line) =>
        line.reference === reference &&
        line.operation === 'book' &&
        /SLOT_TAKEN|silent|reset/.test(line.answer),
    ),
  );
}
