import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { type Bridge, openBridge } from '../../engine/bridge.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { requested } from '../../sandbox/dawy/messages.ts';
import { TestNetwork } from '../support/bridge.ts';
import { until } from '../support/rabbitmq.ts';

const REQUEST = 'transforms/alnoor/request.json.yaml';

describe('a configuration that changes while the engine runs', function () {
  this.timeout(30_000);
  let network: TestNetwork;
  let bridge: Bridge;

  before(async () => {
    network = await TestNetwork.open({ routes: (text) => text.replace('timeout: 5s', 'timeout: 500ms') });
    bridge = await network.start();
  });

  after(() => network.close());

  /** Edits a file, resolves once the engine has taken it or refused it, and says what it said. */
  async function edited(file: string, change: (text: string) => string) {
    const from = network.events.length;
    const answer = () =>
      network.events.slice(from).find(({ kind }) => kind === 'plan-activated' || kind === 'plan-refused');
    network.edit(file, change);
    await until(() => answer() !== undefined);
    return answer()!;
  }

  async function booked(change: Parameters<TestNetwork['wish']>[1] = {}) {
    const wish = network.wish('alnoor', change);
    await network.publish(requested(wish));
    await network.told(wish.reference, 'booking.confirmed');
    return (await network.alnoor.control.calendar()).find(({ reference }) => reference === wish.reference);
  }

  const plans = async () =>
    (await network.database.query<{ hash: string }>('select hash from hisbridge.plan order by seen_at')).map(
      ({ hash }) => hash,
    );
  const noted = (note: string) => (text: string) => text.replace(/^note:.*$/m, `note: "${note}"`);

  it('renders the next message by a changed template', async () => {
    expect(await booked({ note: 'as asked' })).to.include({ note: 'as asked' });
    const before = bridge.plan.hash;
    expect(await edited(REQUEST, noted('by the new template'))).to.include({ kind: 'plan-activated' });
    expect(bridge.plan.hash).to.not.equal(before);
    expect(await booked({ note: 'as asked' })).to.include({ note: 'by the new template' });
  });

  it('keeps every plan that was in force, and names it with what was kept and sent under it', async () => {
    const all = await plans();
    expect(all).to.have.length(2).and.to.include(bridge.plan.hash);
    const named = await network.database.query<{ plan: string }>(
      `select distinct plan from hisbridge.message where plan is not null union select plan from hisbridge.edition
       union select plan from hisbridge.attempt`,
    );
    expect(named.map(({ plan }) => plan).sort()).to.deep.equal([...all].sort());
  });

  it('refuses a broken template at its file, line and column, and goes on by the plan before', async () => {
    const before = { hash: bridge.plan.hash, text: readFileSync(join(network.folder, REQUEST), 'utf8') };
    const refused = await edited(REQUEST, (text) => text.replace('message.doctor.id', 'message.doctor.nmae'));
    const line = before.text.split('\n').findIndex((text) => text.includes('message.doctor.id')) + 1;
    if (refused.kind !== 'plan-refused') throw new TypeError('a broken template was put in force');
    expect(refused.problems).to.have.length(1);
    expect(refused.problems[0]).to.match(new RegExp(`^${REQUEST}:${line}:\\d+`));
    expect(bridge.plan.hash).to.equal(before.hash);
    expect(await booked()).to.include({ note: 'by the new template' });
    expect(await plans()).to.have.length(2);

    const routes = await edited('routes.yaml', (text) => text.replace('to: alnoor-out', 'to: alnoor-uot'));
    expect(routes).to.include({ kind: 'plan-refused' });
    network.edit('routes.yaml', (text) => text.replace('to: alnoor-uot', 'to: alnoor-out'));
    expect(await edited(REQUEST, () => before.text.concat('# as it was\n'))).to.include({
      kind: 'plan-activated',
    });
  });

  it('sends an edition as it was written, whatever the plan says by the time it is sent again', async () => {
    await network.alnoor.control.break('silent', { times: 1 });
    await edited(REQUEST, noted('of the first edition'));
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    const mine = async () =>
      (await network.alnoor.control.journal()).filter(({ reference }) => reference === wish.reference);
    await until(async () => (await mine()).length === 1);
    await edited(REQUEST, noted('of a later plan'));
    await network.told(wish.reference, 'booking.confirmed');
    const [first, second] = await mine();
    expect(second?.key).to.equal(first?.key);
    const found = (await network.alnoor.control.calendar()).find(
      ({ reference }) => reference === wish.reference,
    );
    expect(found).to.include({ note: 'of the first edition' });
    expect(await booked()).to.include({ note: 'of a later plan' });
  });

  it('loses nothing while channels are opened anew under load', async () => {
    const wishes = Array.from({ length: 40 }, () => network.wish('alnoor'));
    const publishing = Promise.all(wishes.map((wish) => network.publish(requested(wish))));
    await edited('routes.yaml', (text) =>
      text.replace('timeout: 500ms', 'timeout: 900ms').replace('maxInFlight: 64', 'maxInFlight: 32'),
    );
    await publishing;
    for (const { reference } of wishes) await network.told(reference, 'booking.confirmed');
    await network.quiet();
    const journal = await network.alnoor.control.journal();
    for (const { reference } of wishes)
      expect(
        journal.filter((line) => line.reference === reference && line.effect === 'booked'),
      ).to.have.length(1);
  });

  it('goes on by the plan before when a changed one cannot be put in force on the broker', async () => {
    const before = {
      hash: bridge.plan.hash,
      text: readFileSync(join(network.folder, 'routes.yaml'), 'utf8'),
    };
    const refused = await edited('routes.yaml', (text) => text.replace(/queue: (\S+)/, 'queue: $1.missing'));
    if (refused.kind !== 'plan-refused') throw new TypeError('a plan without its queue was put in force');
    expect(refused.problems.join()).to.match(/queue .*missing/);
    expect(bridge.plan.hash).to.equal(before.hash);
    const after = await booked();
    const named = await network.database.query<{ plan: string }>(
      'select distinct plan from hisbridge.message where booking = $1',
      [after?.reference],
    );
    expect(named).to.deep.equal([{ plan: before.hash }]);
    network.edit('routes.yaml', () => before.text);
    expect(await edited(REQUEST, noted('after all'))).to.include({ kind: 'plan-activated' });
    expect(await booked()).to.include({ note: 'after all' });
  });

  it('puts a plan in force by itself once the store that could not keep it can', async () => {
    const from = network.events.length;
    const said = (kind: string) => network.events.slice(from).filter((event) => event.kind === kind);
    const holder = new pg.Client({ connectionString: network.database.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query('lock table hisbridge.plan in exclusive mode');
    network.edit(REQUEST, noted('kept at last'));
    // Nobody waits for the lock any more once its wait was ended; the engine says why it goes on as before.
    await until(async () => {
      await network.database.query(
        `select pg_cancel_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'hisbridge read' and wait_event_type = 'Lock'`,
      );
      return said('plan-refused').length > 0;
    });
    await holder.end();
    await until(() => said('plan-activated').length > 0);
    expect(await booked()).to.include({ note: 'kept at last' });
    expect(said('plan-refused')).to.deep.equal([
      { kind: 'plan-refused', problems: ['the store takes nothing now (SQLSTATE 57014)'] },
    ]);
  });

  it('goes on by the plan before while a file cannot even be looked at, and says so once', async () => {
    const path = join(network.folder, REQUEST);
    const text = readFileSync(path, 'utf8');
    const from = network.events.length;
    const said = (kind: string) => network.events.slice(from).filter((event) => event.kind === kind);
    rmSync(path);
    symlinkSync(basename(path), path);
    await until(() => said('plan-refused').length > 0);
    expect(await booked()).to.include({ note: 'kept at last' });
    rmSync(path);
    writeFileSync(path, noted('seen again')(text));
    await until(() => said('plan-activated').length > 0);
    expect(await booked()).to.include({ note: 'seen again' });
    expect(said('plan-refused')).to.have.length(1);
  });

  it('does not start where the broker lacks its queue, and leaves no instance behind', async () => {
    const before = readFileSync(join(network.folder, 'routes.yaml'), 'utf8');
    const living = () => network.database.query('select id from hisbridge.instance');
    const instances = await living();
    // Not edited: the engine that runs is not to see it. The one that starts reads a copy.
    const folder = mkdtempSync(join(tmpdir(), 'hisbridge-start-'));
    cpSync(network.folder, folder, { recursive: true });
    writeFileSync(join(folder, 'routes.yaml'), before.replace(/queue: (\S+)/, 'queue: $1.missing'));
    const events: EngineEvent[] = [];
    const telemetry = { emit: (event: EngineEvent) => events.push(event) };
    const opening = await openBridge({ root: folder, env: network.env, telemetry }).then(
      () => 'it opened',
      (thrown: unknown) => (thrown instanceof BridgeError ? thrown.code : String(thrown)),
    );
    rmSync(folder, { recursive: true });
    expect(opening).to.equal('topology-differs');
    expect(await living()).to.deep.equal(instances);
    expect(events.map(({ kind }) => kind)).to.include.members(['instance-joined', 'instance-left']);
    expect(await booked()).to.include({ note: 'seen again' });
  });

  it('never starts on a configuration with problems, and names each', async () => {
    const before = readFileSync(join(network.folder, 'routes.yaml'), 'utf8');
    const broken = before
      .replace('kind: rest', 'kind: rset')
      .replace('when: { hospital: stmary }', 'when: []');
    writeFileSync(join(network.folder, 'routes.yaml'), broken);
    let thrown: unknown;
    try {
      await network.start();
    } catch (error) {
      thrown = error;
    } finally {
      writeFileSync(join(network.folder, 'routes.yaml'), before);
    }
    expect(thrown).to.be.instanceOf(BridgeError).and.to.include({ code: 'config-invalid' });
    expect((thrown as BridgeError).message.match(/routes\.yaml:\d+:\d+/g)).to.have.length.at.least(2);
  });

  it('has done all of it without a fault, and the ledger agrees', async () => {
    await network.quiet();
    expect(await network.faults()).to.deep.equal([]);
  });
});
