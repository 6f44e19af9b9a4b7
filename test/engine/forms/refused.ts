import { expect } from 'chai';
import { BridgeError } from '../../../engine/errors.ts';

/** The BridgeError that an action throws; the test fails when it throws none, or anything else. */
export function refusal(action: () => unknown): BridgeError {
  try {
    action();
  } catch (thrown) {
    expect(thrown).to.be.instanceOf(BridgeError);
    return thrown as BridgeError;
  }
  return expect.fail('nothing was thrown');
}
