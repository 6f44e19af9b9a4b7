/**
 * Every way the bridge can fail, in one table. Nothing else decides what a failure means.
 *
 * - `unavailable`: the far side was not reached. Counts nothing; the breaker decides when to go on.
 * - `transient`:   the far side did not take it and may later. Counts as an attempt.
 * - `ambiguous`:   the far side may have taken it. Trying again may book twice, unless it recognizes repeats.
 * - `permanent`:   the message, the configuration or our code is wrong. Trying again cannot help.
 */
export type Fault = 'unavailable' | 'transient' | 'ambiguous' | 'permanent';

/** Who must act when nobody else can. */
export type Owner = 'dawy-developer' | 'integration-engineer' | 'hospital-it' | 'operations' | 'hisbridge';

interface Entry {
  readonly fault: Fault;
  readonly owner: Owner;
  /** What happened. */
  readonly summary: string;
  /** What a person does about it. */
  readonly remedy: string;
}

const entry = (fault: Fault, owner: Owner, summary: string, remedy: string): Entry => ({
  fault,
  owner,
  summary,
  remedy,
});

export const CATALOGUE = {
  // An arrival that cannot be used.
  'body-unreadable': entry(
    'permanent',
    'dawy-developer',
    'The body cannot be decoded.',
    'Send it again in the form the channel reads.',
  ),
  'body-too-large': entry(
    'permanent',
    'dawy-developer',
    'The body is larger than the channel allows.',
    'Send a smaller body, or raise `maxBytes` of the channel.',
  ),
  'body-too-deep': entry(
    'permanent',
    'dawy-developer',
    'The body is nested deeper than 64 levels.',
    'Send a flatter body.',
  ),
  'type-unknown': entry(
    'permanent',
    'dawy-developer',
    'The message has no type, or one that no schema describes.',
    'Use one of the types the channel reads.',
  ),
  'schema-violation': entry(
    'permanent',
    'dawy-developer',
    'The body does not satisfy its schema.',
    'Correct what the pointer names and send the message again.',
  ),
  'hospital-unknown': entry(
    'permanent',
    'dawy-developer',
    'The message names no hospital, or one that is not configured.',
    'Name a system of routes.yaml, or add the hospital to it.',
  ),
  'booking-missing': entry(
    'permanent',
    'dawy-developer',
    'The message names no booking.',
    'Put the reference where `read.booking` looks for it.',
  ),
  'key-unusable': entry(
    'permanent',
    'dawy-developer',
    'An identifier is longer than 200 characters or contains NUL.',
    'Send an identifier of at most 200 characters.',
  ),
  'id-reused': entry(
    'permanent',
    'dawy-developer',
    'The id was used before for another body.',
    'Send the changed message under an id of its own.',
  ),
  'route-missing': entry(
    'permanent',
    'integration-engineer',
    'No route takes this message.',
    'Add a route for its type and hospital, or stop sending it.',
  ),
  stranded: entry(
    'permanent',
    'operations',
    'The broker had given the message up; when it was found, its booking was known already.',
    'Compare it with the booking by `hisbridge show`; publish it again under a new id if it still makes sense.',
  ),
  'booking-out-of-turn': entry(
    'permanent',
    'dawy-developer',
    'The request makes no sense in the state of its booking.',
    'Read the booking first; send one of the requests that are legal in its state.',
  ),
  'booking-disagrees': entry(
    'permanent',
    'operations',
    'A hospital reports what contradicts the booking.',
    'Compare both sides with `hisbridge show`, then correct the one that is wrong.',
  ),
  'store-rejected': entry(
    'permanent',
    'hisbridge',
    'The store refused this one message.',
    'Report it with its id: the bytes are kept.',
  ),
  // A stage that failed.
  'fact-missing': entry(
    'permanent',
    'integration-engineer',
    'A template needs a fact the engine does not have.',
    'See whether the hospital ever gave it; then correct `learn:` or the template and replay.',
  ),
  'render-failed': entry(
    'permanent',
    'integration-engineer',
    'A template could not be rendered.',
    'Correct the template, then replay.',
  ),
  'output-invalid': entry(
    'permanent',
    'integration-engineer',
    'What a template rendered is not valid.',
    'Correct the template, then replay.',
  ),
  'code-missing': entry(
    'permanent',
    'integration-engineer',
    'A code map lacks an entry.',
    'Add the entry to the map, then replay.',
  ),
  'stage-crashed': entry(
    'permanent',
    'hisbridge',
    'A stage threw what it must not. This is a defect.',
    'Report it with the message id; the message is kept and can be replayed.',
  ),
  // A send without an answer.
  'connection-failed': entry(
    'unavailable',
    'hospital-it',
    'No connection could be opened.',
    'None needed: deliveries wait. Check the far side and the network path.',
  ),
  'credentials-refused': entry(
    'unavailable',
    'operations',
    'The far side refuses our credentials.',
    'Renew the credentials of the channel.',
  ),
  unroutable: entry(
    'unavailable',
    'operations',
    'The broker has no queue for the message.',
    'Bind a queue to the exchange, or correct the routing key.',
  ),
  'answer-timeout': entry(
    'ambiguous',
    'hospital-it',
    'It was sent and no answer came in time.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  'connection-reset': entry(
    'ambiguous',
    'hospital-it',
    'The connection broke after bytes had left and before an answer.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  'confirm-missing': entry(
    'ambiguous',
    'operations',
    'The broker did not confirm in time.',
    'None needed: the same id is published again.',
  ),
  'send-crashed': entry(
    'ambiguous',
    'hisbridge',
    'A channel threw what it must not. This is a defect.',
    'Report it with the message id, then look the booking up in the hospital.',
  ),
  'instance-lost': entry(
    'ambiguous',
    'operations',
    'The engine that was sending it was lost.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  'send-prevented': entry(
    'unavailable',
    'hisbridge',
    'The engine could not prove that it may still send.',
    'None needed: another instance carries on.',
  ),
  // An answer that is not a plain yes or no.
  'answer-unreadable': entry(
    'ambiguous',
    'hospital-it',
    'The answer cannot be read.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  'answer-mismatched': entry(
    'ambiguous',
    'hospital-it',
    'The answer is for another message.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  'probe-inconclusive': entry(
    'ambiguous',
    'hospital-it',
    'The hospital was asked and could not say yet whether it has it.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  'server-failed': entry(
    'ambiguous',
    'hospital-it',
    'The far side failed while it handled the message.',
    'Look the booking up in the hospital, then `hisbridge settle` it.',
  ),
  busy: entry(
    'transient',
    'hospital-it',
    'The far side cannot take it now.',
    'None needed while attempts last.',
  ),
  'request-refused': entry(
    'permanent',
    'integration-engineer',
    'The far side says the message is wrong.',
    'Read the answer with `hisbridge show`, correct template or data, then replay.',
  ),
  'answer-unlisted': entry(
    'permanent',
    'integration-engineer',
    'The channel does not say what this answer means.',
    'Add the answer to `verdicts:`, then settle or replay.',
  ),
  'answer-unmapped': entry(
    'permanent',
    'integration-engineer',
    'The route does not say which event this answer is.',
    'Add the answer to `answer.becomes`, then correct the booking.',
  ),
  // A delivery that ran out of something.
  'attempts-exhausted': entry(
    'permanent',
    'operations',
    'The last attempt that counts was made.',
    'Remove the cause, then replay.',
  ),
  'time-exhausted': entry(
    'permanent',
    'operations',
    'The time for the delivery is over.',
    'Tell the patient; replay only if it still makes sense.',
  ),
  'route-gone': entry(
    'permanent',
    'integration-engineer',
    'No running engine has had the route for an hour.',
    'Restore the route, or give the delivery up.',
  ),
  // The engine itself.
  'config-invalid': entry(
    'permanent',
    'integration-engineer',
    'The configuration has problems.',
    'Correct every line that `hisbridge lint` names.',
  ),
  'store-unavailable': entry(
    'unavailable',
    'operations',
    'PostgreSQL cannot be reached.',
    'Start it, or correct DATABASE_URL.',
  ),
  'store-unsafe': entry(
    'permanent',
    'operations',
    'A setting of PostgreSQL voids the promise.',
    'Correct the setting that is named, or start with HISBRIDGE_UNSAFE=1 and lose the promise.',
  ),
  'store-outdated': entry(
    'permanent',
    'operations',
    'The tables are not those of this version.',
    'Run `hisbridge migrate`.',
  ),
  'store-mismatch': entry(
    'permanent',
    'hisbridge',
    'A statement did not do what it must. This is a defect.',
    'Report it; nothing was changed.',
  ),
  'broker-unavailable': entry(
    'unavailable',
    'operations',
    'RabbitMQ cannot be reached.',
    'Start it, or correct the URL of the system.',
  ),
  'topology-differs': entry(
    'permanent',
    'operations',
    'The broker does not have what routes.yaml needs.',
    'Run `hisbridge topology plan`, then `hisbridge topology apply`.',
  ),
  'not-found': entry(
    'permanent',
    'operations',
    'There is nothing by that name.',
    'Look for it with `hisbridge messages list`.',
  ),
  'not-allowed': entry(
    'permanent',
    'operations',
    'This cannot be done to it in its state.',
    'Read its state with `hisbridge show`.',
  ),
  usage: entry('permanent', 'operations', 'The command was not understood.', 'See `hisbridge help`.'),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

export interface BridgeErrorOptions {
  readonly cause?: unknown;
  /** The stage or channel it happened in. */
  readonly at?: string | undefined;
  /** Where and how large, never what: pointers, rules, counts. No value of a message. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** The only error the engine reasons about. Thrown at the place that knows the code. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: ErrorCode;
  readonly at: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  /** `message` says what we were doing, without any value of a message: `alnoor did not answer within 5 s`. */
  constructor(code: ErrorCode, message: string, { cause, at, details = {} }: BridgeErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.at = at;
    this.details = details;
  }

  get fault(): Fault {
    return CATALOGUE[this.code].fault;
  }

  get remedy(): string {
    return CATALOGUE[this.code].remedy;
  }

  /** Makes anything thrown into a BridgeError that knows where it happened; `otherwise` is for the unforeseen. */
  static from(thrown: unknown, otherwise: ErrorCode, at: string): BridgeError {
    if (!(thrown instanceof BridgeError)) {
      return new BridgeError(otherwise, CATALOGUE[otherwise].summary, { cause: thrown, at });
    }
    if (thrown.at !== undefined) return thrown;
    return new BridgeError(thrown.code, thrown.message, { cause: thrown, at, details: thrown.details });
  }
}
