import { BridgeError, type ErrorCode } from './errors.ts';
import type { Facts } from './facts.ts';
import type { Form, Message } from './message.ts';

/** One step of a route. Pure: the same message and facts give the same message; no I/O, no clock, no state. */
export interface Stage {
  /** As written in routes.yaml; also the label in the trail. */
  readonly name: string;
  readonly from: Form;
  readonly to: Form;
  /** Returns the message in its next form. Throws a BridgeError when it cannot. */
  apply(message: Message, facts: Facts): Message;
}

/** Runs stages in turn. Anything a stage throws that is not a BridgeError becomes `otherwise`: a defect of ours. */
export function runStages(
  stages: readonly Stage[],
  message: Message,
  facts: Facts,
  otherwise: ErrorCode = 'stage-crashed',
): Message {
  let current = message;
  for (const stage of stages) {
    try {
      current = stage.apply(current, facts);
    } catch (thrown) {
      throw BridgeError.from(thrown, otherwise, stage.name);
    }
  }
  return current;
}
