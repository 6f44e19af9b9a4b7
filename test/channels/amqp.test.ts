import { Ajv } from 'ajv';
import type { ConsumeMessage } from 'amqplib';
import { expect } from 'chai';
import fc from 'fast-check';
import { Acknowledgements } from '../../channels/amqp/acknowledgements.ts';
import { arrivalOf } from '../../channels/amqp/arrival.ts';
import { planTopology } from '../../channels/amqp/desired.ts';
import { amqp } from '../../channels/amqp/kind.ts';

function message(properties: object, fields: object = {}): ConsumeMessage {
  return {
    content: Buffer.from('body'),
    properties: { headers: {}, ...properties },
    fields: { routingKey: 'booking.requested', redelivered: false, deliveryTag: 1, ...fields },
  } as ConsumeMessage;
}

describe('channels/amqp acknowledgements', () => {
  it('reach as far as no answer is missing, in whatever order the answers come', () => {
    const orders = fc.integer({ min: 1, max: 60 }).chain((count) => {
      const tags = Array.from({ length: count }, (_, index) => index + 1);
      return fc.shuffledSubarray(tags);
    });
    fc.assert(
      fc.property(orders, (order) => {
        const acknowledgements = new Acknowledgements();
        const answered = new Set<number>();
        let reached = 0;
        for (const tag of order) {
          answered.add(tag);
          acknowledgements.answered(tag);
          const before = reached;
          while (answered.has(reached + 1)) reached += 1;
          expect(acknowledgements.reach()).to.equal(reached === before ? null : reached);
        }
      }),
    );
  });
});

describe('channels/amqp arrivals', () => {
  it('carry the properties of the protocol under its name, and nothing that was not there', () => {
    const { headers, body } = arrivalOf(
      message(
        {
          messageId: 'id-1',
          type: 'booking.requested',
          contentType: 'application/json',
          correlationId: 'c-1',
          timestamp: 1_795_000_000,
        },
        { redelivered: true },
      ),
      false,
    );
    expect(headers).to.deep.equal({
      'amqp.messageId': 'id-1',
      'amqp.type': 'booking.requested',
      'amqp.contentType': 'application/json',
      'amqp.correlationId': 'c-1',
      'amqp.timestamp': '2026-11-18T11:06:40.000Z',
      'amqp.routingKey': 'booking.requested',
      'amqp.redelivered': 'true',
    });
    expect(Buffer.from(body).toString()).to.equal('body');
  });

  it('have header names in lower case and values as text', () => {
    const headers = {
      'cloudEvents:Type': 'booking.requested',
      count: 3,
      flag: true,
      nothing: null,
      bytes: Buffer.from('text'),
      'x-death': [{ queue: 'q', count: 1 }],
    };
    expect(arrivalOf(message({ headers }), false).headers).to.include({
      'cloudevents:type': 'booking.requested',
      count: '3',
      flag: 'true',
      nothing: 'null',
      bytes: 'text',
      'x-death': '[{"queue":"q","count":1}]',
    });
  });

  it('do not let a sender speak in our name', () => {
    const headers = { 'amqp.late': 'true', 'AMQP.messageId': 'forged' };
    const arrival = arrivalOf(message({ headers, messageId: 'id-1' }), false);
    expect(arrival.headers).to.not.have.property('amqp.late');
    expect(arrival.headers['amqp.messageId']).to.equal('id-1');
  });

  it('are marked when the broker gave up on them before', () => {
    expect(arrivalOf(message({}), true).headers['amqp.late']).to.equal('true');
  });

  it('bound what a sender may put into headers', () => {
    const headers = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`h${index}`, 'x'.repeat(9000)]),
    );
    const arrival = arrivalOf(message({ headers }), false);
    expect(Object.keys(arrival.headers)).to.have.length.below(80);
    expect(Math.max(...Object.values(arrival.headers).map((value) => value.length))).to.equal(2000);
  });
});

describe('channels/amqp topology of a plan', () => {
  const inbound = {
    direction: 'inbound' as const,
    options: { queue: 'hisbridge.bookings', bind: { exchange: 'dawy.bookings', keys: ['booking.#'] } },
  };
  const outbound = {
    direction: 'outbound' as const,
    options: { exchange: 'his.events', exchangeType: 'topic' as const },
  };

  it('has a quorum queue with one consumer, and its dead letters are not lost on their way', () => {
    const { queues } = planTopology([inbound]);
    expect(queues.find(({ name }) => name === 'hisbridge.bookings')?.arguments).to.deep.equal({
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-delivery-limit': 20,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'hisbridge.bookings.dlq',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    });
    expect(queues.map(({ name }) => name)).to.deep.equal(['hisbridge.bookings.dlq', 'hisbridge.bookings']);
  });

  it('declares the exchange we publish to and only checks the one of somebody else', () => {
    expect(planTopology([inbound, outbound])).to.deep.include({
      exchanges: [{ name: 'his.events', type: 'topic' }],
      foreign: ['dawy.bookings'],
      bindings: [{ queue: 'hisbridge.bookings', exchange: 'dawy.bookings', key: 'booking.#' }],
    });
  });

  it('owns an exchange that it both publishes to and consumes from', () => {
    const loop = {
      direction: 'inbound' as const,
      options: { queue: 'q', bind: { exchange: 'his.events', keys: ['#'] } },
    };
    expect(planTopology([loop, outbound]).foreign).to.deep.equal([]);
  });

  it('names a thing once however many channels need it', () => {
    expect(planTopology([inbound, inbound, outbound, outbound])).to.deep.equal(
      planTopology([inbound, outbound]),
    );
  });
});

describe('channels/amqp kind', () => {
  const ajv = new Ajv({ strict: true, formats: { duration: true, size: true } });

  it('describes every option of both directions', () => {
    for (const schema of [amqp.inbound?.options, amqp.outbound?.options]) {
      const { properties } = schema as { properties: Record<string, { description?: string }> };
      for (const [name, option] of Object.entries(properties))
        expect(option.description, name).to.be.a('string');
    }
  });

  it('takes the channels of the example network and refuses what it does not know', () => {
    const inbound = ajv.compile(amqp.inbound?.options ?? {});
    expect(
      inbound({ queue: 'hisbridge.bookings', bind: { exchange: 'dawy.bookings', keys: ['booking.#'] } }),
    ).to.equal(true);
    expect(inbound({ queue: 'hisbridge.bookings', prefech: 10 })).to.equal(false);
    expect(inbound({})).to.equal(false);
    const outbound = ajv.compile(amqp.outbound?.options ?? {});
    expect(outbound({ exchange: 'his.events' })).to.equal(true);
    expect(outbound({ exchange: 'his.events', exchangeType: 'random' })).to.equal(false);
  });

  it('knows by itself that a confirm means taken and that repeats are recognized', () => {
    expect(amqp.outbound?.verdicts).to.deep.equal({ confirmed: 'taken' });
    expect(amqp.outbound?.repeats).to.equal('recognized');
  });
});
