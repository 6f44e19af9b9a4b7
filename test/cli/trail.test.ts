import { expect } from 'chai';
import { deadLetterLines, nextCommands } from '../../cli/dead-letters.ts';
import { asJsonValue, asLines, harmless } from '../../cli/payload.ts';
import { needsOf, statusLines } from '../../cli/status.ts';
import { trailJson, trailLines } from '../../cli/trail.ts';
import { restOf } from '../../cli/trigger.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';
import type {
  ChannelName,
  DeliveryId,
  EditionId,
  MessageId,
  RouteName,
  SystemName,
} from '../../engine/message.ts';
import type { DeadLetter, DeliveryTrail, MessageTrail, Status, Trail } from '../../engine/records.ts';

const AT = new Date('2026-12-01T08:00:00Z');
const SECRET = 'Test Patient Nine';
const ALNOOR = 'alnoor' as SystemName;
const OUT = 'alnoor-out' as ChannelName;

function delivery(state: DeliveryTrail['state']): DeliveryTrail {
  return {
    delivery: {
      id: '01990000-0000-7000-8000-000000000002' as DeliveryId,
      message: '01990000-0000-7000-8000-000000000001' as MessageId,
      route: 'to-alnoor' as RouteName,
      channel: OUT,
      hospital: ALNOOR,
      lane: Buffer.alloc(16),
      edition: '01990000-0000-7000-8000-000000000003' as EditionId,
      tries: 1,
      attempts: 0,
      ambiguous: false,
      keptAt: AT,
      giveUpAt: AT,
    },
    state,
    at: AT,
    error: null,
    editions: [
      {
        id: '01990000-0000-7000-8000-000000000003' as EditionId,
        key: 'KEY',
        body: Buffer.from(`{"name":"${SECRET}"}`),
        envelope: { path: `/of/${SECRET}` },
        facts: JSON.stringify({ booking: { hospitalRef: SECRET } }),
        plan: 'p'.repeat(64),
        writtenAt: AT,
      },
    ],
    attempts: [
      {
        id: '01990000-0000-7000-8000-000000000004',
        edition: '01990000-0000-7000-8000-000000000003' as EditionId,
        kind: 'send',
        no: 1,
        startedAt: AT,
        endedAt: new Date(AT.getTime() + 40),
        outcome: 'taken',
        summary: 'alnoor-out answered 201',
        response: Buffer.from(SECRET),
        plan: 'p'.repeat(64),
        instance: null,
      },
    ],
    audit: [],
  };
}

function message(
  deliveries: readonly DeliveryTrail[],
  refused: MessageTrail['refused'] = null,
): MessageTrail {
  return {
    message: {
      id: '01990000-0000-7000-8000-000000000001' as MessageId,
      correlation: 'BK-1',
      cause: null,
      channel: 'dawy-in' as ChannelName,
      type: 'booking.requested',
      hospital: ALNOOR,
      headers: { 'amqp.messageId': SECRET },
      form: 'json',
      body: Buffer.from(SECRET),
      receivedAt: AT,
    },
    booking: 'BK-1',
    keptAt: AT,
    plan: null,
    promised: deliveries.length,
    refused,
    deliveries,
    audit: [],
  };
}

const trail = (...messages: readonly MessageTrail[]): Trail => ({ booking: null, steps: [], messages });

describe('a trail on the terminal', () => {
  it('shows what was received, sent and answered', () => {
    const lines = trailLines(trail(message([delivery('delivered')])), true).join('\n');
    expect(lines.split(SECRET).length - 1).to.equal(6);
    expect(lines).to.include('edition KEY').and.include('taken at 2026-12-01 08:00:00.040Z, after 40 ms');
  });

  it('shows nothing of them without payloads, neither as text nor as JSON', () => {
    const whole = trail(message([delivery('delivered')]));
    expect(trailLines(whole, false).join('\n')).not.to.include(SECRET);
    expect(JSON.stringify(trailJson(whole, false))).not.to.include(SECRET);
    expect(JSON.stringify(trailJson(whole, true))).to.include(SECRET);
  });

  it('leads on from what stands still', () => {
    const lines = trailLines(trail(message([delivery('held')])), true);
    expect(lines.at(-1)).to.equal(
      'Next: npx hisbridge dead-letters show 01990000-0000-7000-8000-000000000002',
    );
  });

  it('does not let a message command the terminal', () => {
    expect(harmless('a\u001b[2Jb\u202ec\td\n')).to.equal('a\\u001b[2Jb\\u202ec\td\n');
    expect(asLines(Buffer.from('\u001b]0;x\u0007\nnext'))).to.deep.equal(['\\u001b]0;x\\u0007', 'next']);
  });

  it('shows bytes that are no text as what they are', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    expect(asJsonValue(bytes)).to.deep.equal({ base64: '//4A' });
    expect(asLines(bytes)).to.deep.equal(['3 bytes that are not text: //4A']);
  });

  it('is followed until nothing moves', () => {
    expect(restOf(trail(message([delivery('running')])))).to.equal('moving');
    expect(restOf(trail(message([delivery('delivered')]), message([delivery('waiting')])))).to.equal(
      'moving',
    );
    expect(restOf(trail(message([delivery('delivered')])))).to.equal('answered');
    expect(restOf(trail(message([delivery('held')])))).to.equal('stopped');
    const refused = { error: new BridgeError('type-unknown', 'no type'), open: true };
    expect(restOf(trail(message([], refused)))).to.equal('stopped');
  });
});

describe('a dead letter on the terminal', () => {
  const letter = (code: ErrorCode, state: 'held' | 'dead'): DeadLetter => ({
    kind: 'delivery',
    id: '01990000-0000-7000-8000-000000000002' as DeliveryId,
    message: '01990000-0000-7000-8000-000000000001' as MessageId,
    since: AT,
    error: new BridgeError(code, 'what happened'),
    type: 'booking.requested',
    hospital: ALNOOR,
    booking: 'BK-1',
    state,
    route: 'to-alnoor' as RouteName,
    channel: OUT,
    behind: 2,
  });

  it('says why, who must act, and the next command', () => {
    const text = deadLetterLines(letter('answer-timeout', 'held')).join('\n');
    expect(text).to.include('answer-timeout: what happened');
    expect(text).to.include('the IT of the hospital');
    expect(text).to.include('2 waiting behind it');
    expect(text).to.include('hisbridge probe 01990000-0000-7000-8000-000000000002');
  });

  it('never proposes to send again what may have been taken, before it was asked about', () => {
    expect(nextCommands(letter('answer-timeout', 'held')).join()).not.to.include('replay');
    expect(nextCommands(letter('render-failed', 'dead')).join()).to.include('hisbridge replay');
  });
});

describe('the status', () => {
  const calm: Status = {
    now: AT,
    channels: [],
    refusals: 0,
    breakers: new Map(),
    instances: [{ id: 'one', beatAt: AT, plan: null }],
    ledger: { promised: 3, existing: 3 },
  };
  const counts = { waiting: 0, queued: 0, running: 0, held: 0, dead: 0 };

  it('needs nobody while everything moves, though a hospital is away', () => {
    const open = {
      state: 'open',
      generation: 1,
      openings: 1,
      reason: 'connection-failed',
      probeAt: new Date(AT.getTime() + 5_000),
      paused: null,
    } as const;
    const away: Status = {
      ...calm,
      channels: [
        { channel: OUT, counts: { ...counts, queued: 3 }, oldestAt: new Date(AT.getTime() - 60_000) },
      ],
      breakers: new Map([[OUT, open]]),
    };
    expect(needsOf(away)).to.deep.equal([]);
    const text = statusLines(away, []).join('\n');
    expect(text).to.include('open: connection-failed, tried in 5 s').and.include('60 s');
  });

  for (const [what, status, word] of [
    [
      'a delivery is held',
      { channels: [{ channel: OUT, counts: { ...counts, held: 1 }, oldestAt: null }] },
      '1 dead letter',
    ],
    ['a message is refused', { refusals: 2 }, '2 dead letters'],
    [
      'the ledger differs',
      { ledger: { promised: 3, existing: 2 } },
      '3 deliveries were promised and 2 exist',
    ],
    ['no engine runs', { instances: [] }, 'no engine runs'],
    [
      'the only engine is frozen',
      { instances: [{ id: 'one', beatAt: new Date(AT.getTime() - 16_000), plan: null }] },
      'no engine runs',
    ],
  ] as const) {
    it(`needs a person when ${what}`, () => {
      expect(needsOf({ ...calm, ...status }).join()).to.include(word);
    });
  }
});
