import { expect } from 'chai';
import { authoredPlan } from '../../cli/authoring.ts';
import { arrive } from '../../cli/fixtures/given.ts';
import { changeIn, sampleOf } from '../../cli/sample.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import { ROOT } from './folder.ts';

const TYPES = ['booking.requested', 'booking.reschedule-requested', 'booking.cancel-requested'];

describe('the messages that trigger makes', () => {
  const plan = authoredPlan(ROOT);

  for (const type of TYPES) {
    for (const hospital of ['alnoor', 'stmary']) {
      it(`are ones the engine takes: ${type} to ${hospital}`, () => {
        const { body, reference } = sampleOf(ROOT, type, hospital, []);
        const arrived = arrive(plan, 'dawy-in' as ChannelName, body);
        expect(arrived.kind).to.equal('read');
        if (arrived.kind === 'read') {
          expect(arrived.message).to.include({ type, hospital });
          expect(arrived.booking).to.equal(reference);
        }
      });
    }
  }

  it('have an id and a reference of their own, and a slot in the future', () => {
    const samples = Array.from({ length: 50 }, () => sampleOf(ROOT, 'booking.requested', 'alnoor', []));
    expect(new Set(samples.map(({ id }) => id)).size).to.equal(50);
    expect(new Set(samples.map(({ reference }) => reference)).size).to.equal(50);
    for (const { body } of samples) {
      expect(new Date(JSON.parse(body.toString()).slot.start).getTime()).to.be.greaterThan(Date.now());
    }
  });

  it('are changed where they are told: texts stay texts, := is JSON', () => {
    const changes = ['/booking/reference=BK-7', '/patient/id=007', '/patient/more:={"a":[1]}'].map(changeIn);
    const sample = sampleOf(ROOT, 'booking.requested', 'alnoor', changes);
    expect(sample.reference).to.equal('BK-7');
    expect(JSON.parse(sample.body.toString()).patient).to.include({ id: '007' });
    expect(JSON.parse(sample.body.toString()).patient.more).to.deep.equal({ a: [1] });
  });

  it('are not made of what cannot be understood', () => {
    for (const wrong of ['patient=1', '/a', '/a:=nothing'])
      expect(() => changeIn(wrong)).to.throw(BridgeError);
    expect(() => sampleOf(ROOT, 'booking.unheard-of', 'alnoor', [])).to.throw(
      /there are .*booking\.requested/,
    );
  });
});
