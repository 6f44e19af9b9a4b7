import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { BOOKINGS } from '../../sandbox/dawy/broker.ts';
import { cancelRequested, requested } from '../../sandbox/dawy/messages.ts';
import { type Ended, hisbridge, hisbridgeHere } from '../cli/command.ts';
import { TestNetwork } from '../support/bridge.ts';
import { testConnection, until } from '../support/rabbitmq.ts';

/** What the commands print of a trail that matters here. */
interface Shown {
  readonly booking: { readonly state: string; readonly context: { readonly hospitalRef?: string } } | null;
  readonly messages: readonly {
    readonly id: string;
    readonly type: string;
    readonly body: { readonly text: string };
    readonly deliveries: readonly {
      readonly id: string;
      readonly channel: string;
      readonly state: string;
      readonly editions: readonly { readonly key: string; readonly body: { readonly text: string } }[];
      readonly audit: readonly { readonly by: string; readonly action: string; readonly reason: string }[];
    }[];
  }[];
}

/** The exchanges of a copy of the configuration. */
function exchangesOf(folder: string): { readonly bookings: string; readonly events: string } {
  const { channels } = parse(readFileSync(join(folder, 'routes.yaml'), 'utf8'));
  return { bookings: channels['dawy-in'].bind.exchange, events: channels['dawy-out'].exchange };
}

describe('the command line beside a running engine', function () {
  this.timeout(60_000);
  let network: TestNetwork;

  before(async () => {
    // alnoor as a hospital that would book twice: an uncertain send to it waits for a person.
    network = await TestNetwork.open({
      routes: (text) => text.replace('repeats: recognized', 'repeats: unsafe    '),
    });
    await network.start();
  });

  after(() => network.close());

  const run = (...args: string[]): Promise<Ended> => hisbridgeHere(args, network.env);

  async function asJson<Value>(...args: string[]): Promise<Value> {
    const { stdout, stderr } = await run(...args, '--json');
    expect(stdout, stderr).not.to.equal('');
    return JSON.parse(stdout) as Value;
  }

  const inFolder = (...args: string[]): string[] => [...args, '-c', network.folder];

  /** A booking at alnoor that was booked there, and whose answer was lost: held. */
  async function heldAtAlnoor(): Promise<{ readonly reference: string; readonly id: string }> {
    const wish = network.wish('alnoor');
    await network.alnoor.control.break('reset-after', { references: [wish.reference] });
    await network.publish(requested(wish));
    const { data } = await network.told(wish.reference, 'dead-letter.opened');
    await network.alnoor.control.heal();
    return { reference: wish.reference, id: data.id ?? '' };
  }

  /** A booking that stmary calls wrong: dead. */
  async function deadAtStmary(): Promise<{ readonly reference: string; readonly id: string }> {
    const wish = network.wish('stmary');
    await network.stmary.control.break('wrong', { references: [wish.reference] });
    await network.publish(requested(wish));
    const { data } = await network.told(wish.reference, 'dead-letter.opened');
    await network.stmary.control.heal();
    return { reference: wish.reference, id: data.id ?? '' };
  }

  /** Closes whatever stands still. */
  async function giveUpAll(): Promise<void> {
    const letters = await asJson<readonly { readonly id: string }[]>('dead-letters', 'list');
    for (const { id } of letters) {
      const { code } = await run(...inFolder('settle', id, '--as', 'given-up', '--reason', 'a test'));
      expect(code).to.equal(0);
    }
  }

  const effects = async (hospital: 'alnoor' | 'stmary', reference: string) =>
    (await network[hospital].control.journal()).filter(
      (line) => line.reference === reference && line.effect !== 'none',
    );

  it('shows the whole trail of a booking by any word that names it', async () => {
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    await network.told(wish.reference, 'booking.confirmed');
    await network.quiet();

    const shown = await asJson<Shown>(...inFolder('show', wish.reference));
    const [first] = shown.messages;
    expect(shown.booking?.state).to.equal('confirmed');
    expect(shown.messages.map(({ type }) => type)).to.deep.equal([
      'booking.requested',
      'booking.confirmed',
      'booking.confirmed',
    ]);
    const [delivery] = first?.deliveries ?? [];
    const words = [
      shown.booking?.context.hospitalRef ?? '',
      first?.id ?? '',
      delivery?.id.slice(0, 18) ?? '',
      delivery?.editions[0]?.key ?? '',
    ];
    for (const word of words) {
      const { stdout } = await run(...inFolder('show', word));
      expect(stdout, word).to.include(`${wish.reference}  confirmed`).and.include('Layla Example');
    }
    const plain = await run(...inFolder('show', wish.reference, '--no-payloads'));
    expect(plain.stdout).to.include('booking requested → confirmed').and.not.include('Layla');
  });

  it('lists candidates when words name more than one thing, and says when they name nothing', async () => {
    const [one, other] = [network.wish('alnoor'), network.wish('alnoor')];
    for (const wish of [one, other]) {
      await network.publish(requested({ ...wish, doctor: 'DR-777' }));
      await network.told(wish.reference, 'booking.confirmed');
    }
    const { code, stdout } = await run(...inFolder('show', 'DR-777'));
    expect(code).to.equal(1);
    expect(stdout).to.include(one.reference).and.include(other.reference);
    const nothing = await run(...inFolder('show', 'nobody-knows-this', '--json'));
    expect(nothing.code).to.equal(1);
    expect(JSON.parse(nothing.stderr)).to.include({ code: 'not-found' });
  });

  it('settles a held one as delivered: the booking learns the reference, and Dawy hears', async () => {
    const { reference, id } = await heldAtAlnoor();
    const [effect] = await effects('alnoor', reference);
    const list = await run('dead-letters', 'list');
    expect(list.code).to.equal(1);
    expect(list.stdout).to.include(id).and.include(`hisbridge settle ${id}`);

    const settled = await run(
      ...inFolder('settle', id, '--as', 'delivered', '--reason', 'seen in their calendar'),
      ...['--hospital-ref', effect?.hospitalRef ?? '', '--event', 'booking.confirmed'],
    );
    expect(settled.code, settled.stderr).to.equal(0);
    await network.told(reference, 'booking.confirmed');

    // What comes after uses the reference that the person found.
    const { slot: _, ...wish } = network.wish('alnoor', { reference });
    await network.publish(cancelRequested({ ...wish, slot: network.slot(0) }, 'cannot come'));
    await network.told(reference, 'booking.cancelled');
    expect((await effects('alnoor', reference)).map((line) => line.effect)).to.deep.equal([
      'booked',
      'cancelled',
    ]);
    const shown = await asJson<Shown>(...inFolder('show', reference));
    const [audit] = shown.messages[0]?.deliveries[0]?.audit ?? [];
    expect(audit).to.include({ action: 'delivered', reason: 'seen in their calendar' });
    expect(audit?.by).not.to.equal('');
  });

  it('does not settle the same one twice', async () => {
    const { id } = await heldAtAlnoor();
    const give = inFolder('settle', id, '--as', 'given-up', '--reason', 'the patient went elsewhere');
    expect((await run(...give)).code).to.equal(0);
    const again = await run(...give, '--json');
    expect(again.code).to.equal(5);
    expect(JSON.parse(again.stderr)).to.include({ code: 'not-allowed' });
  });

  it('sends the same edition again when it was not taken', async () => {
    const wish = network.wish('alnoor');
    await network.alnoor.control.break('reset-before', { references: [wish.reference] });
    await network.publish(requested(wish));
    const { data } = await network.told(wish.reference, 'dead-letter.opened');
    await network.alnoor.control.heal();

    const settled = await run(
      ...inFolder('settle', data.id ?? '', '--as', 'not-taken', '--reason', 'not there'),
    );
    expect(settled.code, settled.stderr).to.equal(0);
    await network.told(wish.reference, 'booking.confirmed');
    const keys = (await network.alnoor.control.journal())
      .filter((line) => line.reference === wish.reference)
      .map(({ key }) => key);
    expect(new Set(keys).size).to.equal(1);
    expect(await effects('alnoor', wish.reference)).to.have.length(1);
  });

  it('asks the hospital: absent sends again, and only by --settle', async () => {
    const { reference, id } = await deadAtStmary();
    const asked = await asJson<{ readonly found: string }>(...inFolder('probe', id));
    expect(asked.found).to.equal('absent');
    expect(await effects('stmary', reference)).to.have.length(0);

    const settled = await run(...inFolder('probe', id, '--settle', '--reason', 'they corrected it'));
    expect(settled.code, settled.stderr).to.equal(0);
    await network.told(reference, 'booking.confirmed');
    expect(await effects('stmary', reference)).to.have.length(1);
  });

  it('asks the hospital: found ends the delivery and the booking hears what the hospital says', async () => {
    const { reference, id } = await deadAtStmary();
    // Somebody at the hospital books it by hand.
    const shown = await asJson<Shown>(...inFolder('show', reference));
    const envelope = shown.messages[0]?.deliveries[0]?.editions[0]?.body.text ?? '';
    await fetch(network.stmary.address, {
      method: 'POST',
      headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '"BookAppointment"' },
      body: envelope,
    });
    const [effect] = await effects('stmary', reference);

    const settled = await run(...inFolder('probe', id, '--settle', '--reason', 'booked at the desk'));
    expect(settled.code, settled.stderr).to.equal(0);
    const { data } = await network.told(reference, 'booking.confirmed');
    expect(data).to.have.nested.property('booking.hospitalRef', effect?.hospitalRef);
    expect(await effects('stmary', reference)).to.have.length(1);
  });

  it('says that a hospital cannot tell, and changes nothing', async () => {
    const { reference, id } = await deadAtStmary();
    await network.stmary.control.break('garbage', { references: [reference] });
    const { code, stdout } = await run(...inFolder('probe', id, '--settle', '--reason', 'to see'));
    await network.stmary.control.heal();
    expect(code).to.equal(1);
    expect(stdout).to.include('cannot say');
    expect((await run('dead-letters', 'show', id)).stdout).to.include(`dead  ${id}`);
    expect((await run(...inFolder('settle', id, '--as', 'given-up', '--reason', 'a test'))).code).to.equal(0);
  });

  it('replays as something new, under a new key', async () => {
    const { reference, id } = await deadAtStmary();
    expect((await run(...inFolder('replay', id, '--reason', 'corrected'))).code).to.equal(0);
    await network.told(reference, 'booking.confirmed');
    const keys = (await network.stmary.control.journal())
      .filter((line) => line.reference === reference && line.operation === 'book')
      .map(({ key }) => key);
    expect(new Set(keys).size).to.equal(2);
  });

  it('does not replay a held one unless it is said on purpose', async () => {
    const { reference, id } = await heldAtAlnoor();
    const refused = await run(...inFolder('replay', id, '--reason', 'the hospital is back'));
    expect(refused.code).to.equal(5);
    expect(refused.stderr).to.include('hisbridge probe').and.include('settle --as not-taken');
    expect(await effects('alnoor', reference)).to.have.length(1);
    expect((await run(...inFolder('settle', id, '--as', 'given-up', '--reason', 'a test'))).code).to.equal(0);
  });

  it('closes a refused message, and does nothing else to it', async () => {
    const { patient: _, ...incomplete } = requested(network.wish('alnoor'));
    await network.publish(incomplete);
    const { data } = await network.refused(incomplete.id);
    const id = data.id ?? '';
    expect((await run(...inFolder('settle', id, '--as', 'delivered', '--reason', 'no'))).code).to.equal(2);
    expect((await run(...inFolder('replay', id, '--reason', 'no'))).code).to.equal(2);
    expect((await run('dead-letters', 'list')).stdout)
      .to.include('a developer of Dawy')
      .and.include('/patient');
    expect((await run(...inFolder('settle', id, '--as', 'given-up', '--reason', 'a test'))).code).to.equal(0);
    expect((await run('dead-letters', 'list')).stdout).not.to.include(id);
  });

  it('lists messages by what they have in common', async () => {
    const found = await asJson<readonly { readonly type: string; readonly hospital: string }[]>(
      ...['messages', 'list', '--since', '1h', '--hospital', 'stmary', '--type', 'booking.requested'],
    );
    expect(found).not.to.deep.equal([]);
    expect(new Set(found.map(({ type, hospital }) => `${type} ${hospital}`))).to.deep.equal(
      new Set(['booking.requested stmary']),
    );
  });

  it('says on one screen that nothing needs a person, or what does', async () => {
    await network.quiet();
    const calm = await run('status');
    expect(calm.stdout).to.include('Nothing needs a person.').and.include('1 instance');
    expect(calm.code).to.equal(0);
    const { id } = await heldAtAlnoor();
    const alarmed = await run('status');
    expect(alarmed.code).to.equal(1);
    expect(alarmed.stdout).to.include('NEEDS A PERSON  1 dead letter: npx hisbridge dead-letters list');
    expect((await run(...inFolder('settle', id, '--as', 'given-up', '--reason', 'a test'))).code).to.equal(0);
  });

  it('publishes as Dawy would and follows it to its end', async () => {
    // Where the command publishes to, led on to where this network reads from.
    const connection = await testConnection(network.env['AMQP_URL'] ?? '');
    const channel = await connection.createChannel();
    const { bookings } = exchangesOf(network.folder);
    await channel.assertExchange(BOOKINGS, 'topic', { durable: true });
    await channel.bindExchange(bookings, BOOKINGS, '#');
    try {
      const trigger = ['trigger', 'booking.requested', '--to', 'stmary', '--follow'];
      const answered = await run(...trigger);
      expect(answered.code, answered.stderr).to.equal(0);
      expect(answered.stdout)
        .to.include('booking requested → confirmed')
        .and.include('tell-dawy to dawy-out: delivered');
      const refused = await run(...trigger, '--set', '/patient:=7', '--json');
      expect(refused.code).to.equal(1);
      const [published = '', rests = ''] = refused.stdout.split('\n');
      expect(JSON.parse(published)).to.include({ published: 'booking.requested', hospital: 'stmary' });
      expect(JSON.parse(rests)).to.include({ rests: 'stopped' });
      await giveUpAll();
    } finally {
      await channel.unbindExchange(bookings, BOOKINGS, '#');
      await connection.close();
    }
  });

  it('says that PostgreSQL or RabbitMQ is not reached, with exit code 3', async () => {
    const gone = {
      ...network.env,
      DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none',
      AMQP_URL: 'amqp://127.0.0.1:9',
    };
    const status = await hisbridgeHere(['status', '--json'], gone);
    expect(status.code).to.equal(3);
    expect(JSON.parse(status.stderr)).to.include({ code: 'store-unavailable' });
    const listen = await hisbridgeHere(['listen'], gone);
    expect(listen.code).to.equal(3);
    expect(listen.stderr).to.include('broker-unavailable');
  });

  it('listens to what Dawy gets until it is interrupted', async () => {
    const listening = hisbridge(['listen', '--exchange', exchangesOf(network.folder).events, '--json'], {
      env: network.env,
      until: '"type":"booking.confirmed"',
    });
    // Published again and again, because nobody outside sees when the queue of the listener is bound.
    let ended: Ended | null = null;
    const noted = listening.then((end) => {
      ended = end;
      return end;
    });
    await until(async () => {
      if (ended === null) await network.publish(requested(network.wish('alnoor')));
      return ended !== null;
    });
    const { code, stdout } = await noted;
    expect(code).to.equal(130);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).to.include({ specversion: '1.0', source: 'hisbridge' });
  });
});
