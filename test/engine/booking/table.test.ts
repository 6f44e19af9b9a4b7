import { expect } from 'chai';
import { type StateValue, transition } from 'xstate';
import { DELAYS, FOR_GOOD, machine } from '../../../engine/booking/machine.ts';
import { type Move, type Path, TABLE, WORDS } from '../../../engine/booking/table.ts';

/** A path as the machine spells it, written out by hand of the table's own way. */
function spelled(path: Path): StateValue {
  const [first, second, third] = path;
  if (third !== undefined) return { [first]: { [second as string]: third } };
  if (second !== undefined) return { [first]: second };
  return first === 'cancelled' ? { cancelled: FOR_GOOD } : first;
}

function asked(path: Path, type: string) {
  const [after, actions] = transition(machine, machine.resolveState({ value: spelled(path) }), {
    type,
  } as never);
  return { after, names: actions.map((action) => action.type) };
}

function expectSame(path: Path, move: Move | null | undefined, type: string): void {
  const { after, names } = asked(path, type);
  const handled = names.length > 0;
  expect(move !== null && move !== undefined, 'handled').to.equal(handled);
  if (!move) return;
  expect(after.value).to.deep.equal(spelled(move.to));
  expect(names.filter((name) => !name.startsWith('xstate.'))).to.deep.equal(move.effects);
  expect(names.includes('xstate.raise'), 'starts a deadline').to.equal(typeof move.deadline === 'number');
  if (move.deadline === null) expect(names).to.include('xstate.cancel');
  if (move.deadline === 'stays') expect(names).to.not.include('xstate.cancel');
}

describe('the table', () => {
  for (const [key, place] of TABLE) {
    it(`does what the machine does when the booking is ${key}`, () => {
      for (const word of WORDS) expectSame(place.path, place.heard.get(word), word);
    });

    it(`has the deadline of the machine when the booking is ${key}`, () => {
      const node = machine.states[place.path[0] as keyof typeof machine.states];
      const timer = node?.after[0];

      expect(place.patience).to.equal(timer === undefined ? null : DELAYS[timer.delay as 'unanswered']);
      if (timer === undefined) expect(place.timer).to.equal(null);
      else expectSame(place.path, place.timer, timer.eventType);
    });
  }

  it('has a state for every word that the machine has, and no place twice', () => {
    const states = new Set([...TABLE.values()].map(({ path }) => path[0]));
    expect([...states].sort()).to.deep.equal(Object.keys(machine.states).sort());
  });

  it('ends no request in a state where nobody waits for the hospital', () => {
    for (const place of TABLE.values()) {
      for (const [word, move] of place.heard) {
        if (word.endsWith('requested')) expect(move.deadline, word).to.be.a('number');
      }
    }
  });
});
