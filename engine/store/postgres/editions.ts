import type { Edition } from '../../store.ts';
import { byteas, texts, uuids } from './arrays.ts';
import { runBatch } from './batch.ts';
import { failureOf } from './failure.ts';
import type { Hands } from './keep.ts';
import { sealJson } from './rows.ts';
import { call, WRITE_EDITIONS } from './statements.ts';

/** Puts editions on disk. One statement is one transaction here: without a reply it is run again and finds its rows. */
export async function writeEditionBatch(
  batch: readonly Edition[],
  hands: Omit<Hands, 'queued'>,
): Promise<readonly boolean[]> {
  if (batch.length === 0) return [];
  const me = hands.me();
  if (me === null) return batch.map(() => false);
  return runBatch('edition', batch, hands.around, {
    run: (rows) => write(rows, me, hands),
    alone: (_edition, thrown) => Promise.reject(thrown),
    ids: (rows) => rows.map(({ id }) => id),
  });
}

async function write(
  batch: readonly Edition[],
  me: string,
  { connection, around, encoding: { seal } }: Omit<Hands, 'queued'>,
): Promise<readonly boolean[]> {
  // By delivery, so that two batches that wait for each other's rows do so in one order.
  const sorted = [...batch].sort((a, b) => (a.delivery < b.delivery ? -1 : 1));
  const statement = call(
    WRITE_EDITIONS,
    me,
    uuids(sorted.map(({ id }) => id)),
    uuids(sorted.map(({ delivery }) => delivery)),
    texts(sorted.map(({ hospital }) => hospital)),
    texts(sorted.map(({ key }) => key)),
    byteas(sorted.map(({ id, body }) => seal.seal(id, body))),
    byteas(sorted.map(({ id, envelope }) => sealJson(seal, id, envelope))),
    byteas(sorted.map(({ id, facts }) => seal.seal(id, Buffer.from(facts)))),
    texts(sorted.map(({ plan }) => plan)),
  );
  const began = around.clock.monotonicMs();
  return connection.exclusive(async (first) => {
    let session = first;
    for (let lost = false; ; lost = true) {
      try {
        const [rows = []] = await session.send([statement]);
        if (lost) around.telemetry.emit({ kind: 'commit-unknown', what: 'edition', found: rows.length > 0 });
        const mine = new Set(rows.map((row) => row['id']));
        return batch.map(({ id }) => mine.has(id));
      } catch (thrown) {
        if (failureOf(thrown) !== 'lost' || around.clock.monotonicMs() - began > around.unknownForMs)
          throw thrown;
        session = await connection.open();
      }
    }
  });
}
