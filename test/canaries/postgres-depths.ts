import pg from 'pg';
import { PROMOTE } from '../../engine/store/postgres/statements.ts';
import type { Depths } from './canary.ts';

/** Beneath a store in PostgreSQL. To be asked for before the store is opened: statements are prepared with their connections. */
export function postgresDepths(url: string): Depths {
  const run = async (text: string, values: readonly unknown[]) => {
    const client = new pg.Client({ connectionString: url, application_name: 'canary' });
    await client.connect();
    try {
      await client.query(text, [...values]);
    } finally {
      await client.end();
    }
  };
  return {
    laneById() {
      const text = PROMOTE.text.replace('order by d.seq', 'order by d.id');
      if (text === PROMOTE.text) throw new TypeError('the next of a lane is chosen otherwise by now');
      Object.assign(PROMOTE, { text });
    },
    own: (deliveries, instance) =>
      run(
        `update hisbridge.delivery set state = 'running', owner = $2::uuid
          where id = any($1::uuid[]) and state in ('running', 'queued')`,
        [deliveries, instance],
      ),
    drop: (delivery) => run('delete from hisbridge.delivery where id = $1::uuid', [delivery]),
  };
}
