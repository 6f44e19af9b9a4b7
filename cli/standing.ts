import { BridgeError } from '../engine/errors.ts';
import type { DeadLetter, Records } from '../engine/records.ts';
import { saidIn } from './given.ts';

/** How many dead letters are looked through for candidates. */
const SOUGHT = 1_000;

/**
 * What stands still under the beginning of an id. Throws `not-allowed` for what is known and goes on, or has
 * ended, `not-found` for what is not known, and `usage` with the candidates when several begin so.
 */
export async function standing(records: Records, id: string): Promise<DeadLetter> {
  saidIn('the id', id);
  try {
    return await records.deadLetter(id);
  } catch (thrown) {
    if (!(thrown instanceof BridgeError)) throw thrown;
    if (thrown.code === 'not-allowed') throw await ambiguity(records, id);
    if (thrown.code !== 'not-found' || !/^[0-9a-f]/i.test(id)) throw thrown;
    const known = await records.find(id, [], 1);
    const moving = known
      .flatMap(({ deliveries }) => deliveries)
      .find((one) => one.id.startsWith(id.toLowerCase()));
    if (moving !== undefined)
      throw new BridgeError(
        'not-allowed',
        `delivery ${moving.id} is ${moving.state}; only a held or dead one waits for a person`,
      );
    if (known.length > 0) throw new BridgeError('not-allowed', `${id} needs no person`);
    throw thrown;
  }
}

async function ambiguity(records: Records, id: string): Promise<BridgeError> {
  const all = await records.deadLetters(SOUGHT);
  const ids = all.map((letter) => letter.id as string).filter((one) => one.startsWith(id.toLowerCase()));
  return new BridgeError('usage', `several dead letters begin with ${id}: ${ids.join(', ')}`);
}

/** The delivery that stands still under the beginning of an id; throws `usage` when it is a refused message. */
export async function stoppedDelivery(
  records: Records,
  id: string,
): Promise<Extract<DeadLetter, { readonly kind: 'delivery' }>> {
  const letter = await standing(records, id);
  if (letter.kind === 'delivery') return letter;
  throw new BridgeError('usage', `${id} is a refused message: it was never sent to anybody`);
}
