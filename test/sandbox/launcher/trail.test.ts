import { expect } from 'chai';

import { type LoggedEvent, linesOf, Trail } from '../../../sandbox/launcher/trail.ts';

const KEPT: LoggedEvent = {
  time: '2026-11-23T09:10:11.000Z',
  level: 'debug',
  event: 'message-kept',
  type: 'booking.requested',
  channel: 'dawy-in',
  hospital: 'alnoor',
  booking: 'BK-1',
  deliveries: 1,
};

describe('the trail on the terminal', () => {
  it('tells what was kept, delivered and refused, by booking', () => {
    const settled = {
      ...KEPT,
      event: 'delivery-settled',
      channel: 'alnoor-out',
      state: 'delivered',
      tries: 2,
      tookMs: 12.4,
      error: null,
    };
    const refused = {
      ...KEPT,
      booking: undefined,
      event: 'message-refused',
      error: 'schema-violation',
      detail: '/patient is missing',
    };

    expect(linesOf(KEPT)).to.deep.equal([
      '  09:10:11  BK-1           booking.requested kept, from dawy-in: 1 delivery',
    ]);
    expect(linesOf(settled)).to.deep.equal([
      '  09:10:11  BK-1           booking.requested to alnoor-out: delivered (try 2, 12 ms)',
    ]);
    expect(linesOf(refused)).to.deep.equal([
      '  09:10:11  alnoor         booking.requested refused: schema-violation, /patient is missing',
    ]);
  });

  it('tells a move of a booking, and what moved it', () => {
    const move = {
      event: 'booking-moved',
      time: KEPT['time'],
      booking: 'BK-1',
      from: 'requested',
      to: 'confirmed',
      said: 'booking.confirmed',
    };

    expect(linesOf(move)).to.deep.equal([
      '  09:10:11  BK-1           booking requested → confirmed (booking.confirmed)',
    ]);
  });

  it('shows every problem of a plan that was refused', () => {
    const problems = ['routes.yaml:31:9 riverside-his is not a channel', 'routes.yaml:40:3 unknown key'];

    expect(linesOf({ event: 'plan-refused', problems })).to.deep.equal([
      'The configuration has problems. The engine goes on with the plan it has:',
      ...problems.map((problem) => `  ${problem}`),
    ]);
  });

  it('keeps to itself what is neither a booking nor a warning', () => {
    expect(linesOf({ event: 'instance-joined', level: 'info', message: 'instance 1 joined' })).to.deep.equal(
      [],
    );
    expect(linesOf({ event: 'store-lost', level: 'error', message: 'the store is away' })[0]).to.contain(
      'the store is away',
    );
  });

  it('shows what a terminal would obey instead of printing it', () => {
    const hostile = 'B\u001b[2J\u009b1m\r\n\u202e\u2028K';

    expect(linesOf({ ...KEPT, booking: hostile })).to.deep.equal([
      String.raw`  09:10:11  B\u001b[2J\u009b1m\u000d\u000a\u202e\u2028K booking.requested kept, from dawy-in: 1 delivery`,
    ]);
    expect(linesOf({ event: 'plan-refused', problems: ['a:1:1 no\u001b[1m\n  ^'] }).slice(1)).to.deep.equal([
      String.raw`  a:1:1 no\u001b[1m`,
      '  ^',
    ]);
  });

  it('finds the event that is waited for, and gives up in time', async () => {
    const trail = new Trail(() => undefined);
    const found = trail.until((event) => event['booking'] === 'BK-1', 5_000);
    const missed = trail.until((event) => event['booking'] === 'BK-2', 1);

    trail.take(KEPT);

    expect(await found).to.equal(true);
    expect(await missed).to.equal(false);
  });

  it('counts instead of printing when more comes than can be read', () => {
    const printed: string[] = [];
    const trail = new Trail((line) => printed.push(line));

    for (let count = 0; count < 5_000; count += 1) trail.take(KEPT);

    // So many a second: on a slow machine it is several seconds' worth.
    expect(printed.length).to.be.lessThan(2_500);
  });
});
