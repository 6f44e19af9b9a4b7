import { expect } from 'chai';
import { connect, type Session } from '../../engine/store/postgres/connection.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { GIVE_BACK, LOCK_NAMED, LOCK_OWNED, OWNED } from '../../engine/store/postgres/recovery.ts';
import {
  CHANGE_DELIVERIES,
  CLAIM,
  END_DELIVERIES,
  FIND_ATTEMPTS,
  FIND_MESSAGES,
  FIND_PROMOTED,
  FIND_RUNNING,
  PROMOTE,
  READ_BOOKINGS,
  READ_DEDUPE,
  READ_DELIVERIES,
  type Statement,
  WRITE_DELIVERIES,
  WRITE_EDITIONS,
} from '../../engine/store/postgres/statements.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The hot statements, and the indexes of each table they may go by; day tables go by their primary key. */
const EXPECTED: readonly (readonly [Statement, readonly string[]])[] = [
  [READ_DEDUPE, ['dedupe_pkey']],
  [READ_BOOKINGS, ['booking_pkey']],
  [READ_DELIVERIES, ['delivery_pkey']],
  [WRITE_DELIVERIES, ['delivery_head']],
  [WRITE_EDITIONS, ['delivery_pkey']],
  [END_DELIVERIES, ['delivery_pkey']],
  [CHANGE_DELIVERIES, ['delivery_pkey']],
  [
    PROMOTE,
    ['booking_pkey', 'delivery_pkey', 'delivery_waiting', 'edition_<day>_pkey', 'message_<day>_pkey'],
  ],
  [CLAIM, ['booking_pkey', 'delivery_due', 'delivery_pkey', 'edition_<day>_pkey', 'message_<day>_pkey']],
  [FIND_RUNNING, ['delivery_pkey']],
  [FIND_PROMOTED, ['booking_pkey', 'delivery_head', 'edition_<day>_pkey', 'message_<day>_pkey']],
  [FIND_MESSAGES, ['message_<day>_pkey']],
  [FIND_ATTEMPTS, ['attempt_<day>_pkey']],
  [LOCK_NAMED, ['delivery_pkey']],
  [LOCK_OWNED, ['delivery_running']],
  [OWNED, ['delivery_running']],
  [GIVE_BACK, ['delivery_pkey', 'edition_<day>_pkey']],
];

/** Rows as a hospital that is away would leave them: many waiting, few heads, some of everything. */
const FILL = `
  insert into hisbridge.booking (reference, hospital, state, context, version)
    select 'B-' || n, 'riverside', 'requested', '\\x00', 1 from generate_series(1, 4000) n;
  insert into hisbridge.dedupe (channel, key, message_id, digest, expires_at)
    select 'dawy-in', decode(md5(n::text), 'hex'), gen_random_uuid(), '\\x00', now() from generate_series(1, 20000) n;
  insert into hisbridge.instance (id, slot, beat, grace_ms)
    select gen_random_uuid(), n, now(), 0 from generate_series(1, 4) n;
  insert into hisbridge.delivery
    (id, message_id, route, channel, hospital, lane, state, head, edition, due_at, owner, give_up_at, booking_ref)
    select gen_random_uuid(), gen_random_uuid(), 'to-riverside', 'riverside-out', 'riverside',
      decode(md5((n % 4000)::text), 'hex'),
      case when n > 4000 then 'waiting' when n % 20 = 0 then 'running' when n % 20 = 1 then 'held' else 'queued' end,
      n <= 4000, gen_random_uuid(), now(),
      case when n <= 4000 and n % 20 = 0 then (select id from hisbridge.instance limit 1) end, now(), 'B-' || n % 4000
    from generate_series(1, 20000) n;
  analyze`;

const literal = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'number' ? String(value) : `'${String(value)}'`;

async function explained(session: Session, { name, text, idle }: Statement): Promise<readonly PlanNode[]> {
  await session.one(`prepare ${name} as ${text}`);
  const args = idle.length === 0 ? '' : `(${idle.map(literal).join(', ')})`;
  const [row] = await session.one(`explain (format json) execute ${name}${args}`);
  const [plan] = (row?.['QUERY PLAN'] ?? []) as readonly { readonly Plan: PlanNode }[];
  return plan === undefined ? [] : flat(plan.Plan);
}

function flat(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}

const withoutDay = (index: string): string => index.replace(/_\d{8}_/, '_<day>_');

describe('the plans of the hot statements', function () {
  this.timeout(30_000);
  let database: TestDatabase;

  before(async () => {
    database = await testDatabase();
    await migrate(database.url);
  });
  after(() => database.drop());

  for (const filled of [false, true]) {
    describe(filled ? 'on tables that are full' : 'on tables that are empty', () => {
      let session: Session;
      before(async () => {
        if (filled) await database.query(FILL);
        session = await connect({ url: database.url }, 'explain', []);
      });
      after(() => session.end());

      for (const [statement, indexes] of EXPECTED) {
        it(`${statement.name} goes by its indexes alone`, async () => {
          const nodes = await explained(session, statement);
          const scans = nodes.filter((node) =>
            /^(Seq|Index|Index Only|Bitmap Index) Scan$/.test(node['Node Type']),
          );
          const used = new Set(
            scans.map((node) => withoutDay(node['Index Name'] ?? `all of ${node['Relation Name']}`)),
          );
          expect([...used].sort()).to.deep.equal([...indexes]);
          const joins = nodes
            .map((node) => node['Node Type'])
            .filter((type) => /Hash Join|Merge Join/.test(type));
          expect(joins).to.deep.equal([]);
          const whole = scans
            .filter((node) => node['Index Cond'] === undefined)
            .map((node) => node['Index Name']);
          expect(whole, 'scans of a whole index').to.deep.equal([]);
        });
      }
    });
  }
});
