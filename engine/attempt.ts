import type { Answer, OutboundChannel, Parcel } from './channel.ts';
import type { Clock } from './clock.ts';
import { judge, type Outcome } from './delivery.ts';
import { BridgeError } from './errors.ts';
import { bookingFacts, type Facts } from './facts.ts';
import { failpoint } from './failpoint.ts';
import type { EditionId, Message } from './message.ts';
import type { OutboundPlan, Plan } from './plan.ts';
import type { Probe, Rendered, Route } from './route.ts';
import type { Attempt, Edition, Work } from './store.ts';

/** What one attempt needs of the world. */
export interface AttemptParts {
  readonly plan: Plan;
  readonly outbound: OutboundPlan;
  readonly channel: OutboundChannel;
  readonly clock: Clock;
  /** Puts the edition on disk; false when the delivery is no longer ours. */
  readonly write: (edition: Edition) => Promise<boolean>;
  /** Whether this instance can still prove that it lives; asked right before the first byte. */
  readonly maySend: () => boolean;
  /** Aborts once the delivery is another's: what has not left by then must not leave any more. Left out where it cannot be. */
  readonly disowned?: AbortSignal;
}

/** What came of one attempt, and what the answer was read with. */
export interface Attempted {
  readonly outcome: Outcome;
  readonly kind: Attempt['kind'];
  readonly facts: Facts;
  readonly decoded: Message;
}

/**
 * One try at a delivery that this instance owns: render and write ahead unless its edition is on disk
 * already, then send those bytes, or ask first when an earlier send may have been taken. Resolves with
 * null when the delivery turned out to be another's: nothing was sent. Never throws for the far side's sake.
 */
export async function attempt(
  work: Work,
  decoded: Message | null,
  parts: AttemptParts,
): Promise<Attempted | null> {
  const { plan, outbound, clock } = parts;
  const facts = factsOf(work, parts);
  const failed = (error: BridgeError, kind: Attempt['kind'], message: Message = work.message): Attempted => ({
    outcome: { kind: 'failed', error, answer: null },
    kind,
    facts,
    decoded: message,
  });

  const route = plan.routes.get(work.delivery.route);
  if (route === undefined)
    return failed(new BridgeError('route-gone', `${work.delivery.route} is not in the plan`), 'render');
  const message = decoded ?? readable(work, plan);
  if (message instanceof BridgeError) return failed(message, 'render');
  // What may have been taken already is still asked after; only what would be new comes too late.
  const asks = work.delivery.ambiguous && outbound.probe !== null;
  if (clock.now() > work.delivery.giveUpAt && !asks) {
    return failed(
      new BridgeError('time-exhausted', `${outbound.name} was not reached in time`),
      'render',
      message,
    );
  }

  if (work.delivery.ambiguous && outbound.repeats === 'unsafe') {
    return failed(
      new BridgeError('instance-lost', `an earlier send to ${outbound.name} was not answered`),
      'render',
      message,
    );
  }
  // Asked here too: an edition on disk that was never sent would have to be taken for one that was.
  if (!parts.maySend()) return null;
  const ready = await parcelOf(work, route, message, facts, parts);
  if (ready === null) return null;
  if (ready instanceof BridgeError) return failed(ready, 'render', message);
  failpoint('M7');
  // Nothing may stand between this check and the first byte that could stop the process for long.
  if (!parts.maySend()) return null;

  if (work.delivery.ambiguous && outbound.probe !== null) {
    return await ask(work, outbound.probe, message, facts, parts);
  }
  return { outcome: await transmit(ready, parts), kind: 'send', facts, decoded: message };
}

/** The edition's bytes: from disk when it has any, else rendered now and put there first. */
async function parcelOf(
  { delivery, edition }: Work,
  route: Route,
  message: Message,
  facts: Facts,
  { plan, write }: AttemptParts,
): Promise<Parcel | BridgeError | null> {
  if (edition !== null) return { ...edition, type: message.type };
  try {
    const { body, envelope } = route.render(message, facts);
    failpoint('M5');
    const { key } = facts.edition;
    const { id: deliveryId, hospital } = delivery;
    const written = await write({
      id: delivery.edition,
      delivery: deliveryId,
      hospital,
      key,
      body,
      envelope,
      facts: JSON.stringify(facts),
      plan: plan.hash,
    });
    return written ? { key, body, envelope, type: message.type } : null;
  } catch (thrown) {
    // The store being away says nothing about the message: the caller must not take it for a failed stage.
    if (thrown instanceof BridgeError && thrown.code === 'store-unavailable') throw thrown;
    return BridgeError.from(thrown, 'stage-crashed', route.name);
  }
}

async function transmit(parcel: Parcel, parts: AttemptParts): Promise<Outcome> {
  try {
    const answer = await send(parcel, parts);
    failpoint('M9');
    return judge(answer, parts.outbound.verdicts);
  } catch (thrown) {
    return {
      kind: 'failed',
      error: BridgeError.from(thrown, 'send-crashed', parts.outbound.name),
      answer: null,
    };
  }
}

/** Asks the hospital whether it has what an earlier send asked for. Never sends anything that could book. */
async function ask(
  work: Work,
  probe: Probe,
  message: Message,
  facts: Facts,
  parts: AttemptParts,
): Promise<Attempted> {
  let question: Rendered;
  try {
    question = probe.render(message, facts);
  } catch (thrown) {
    // Nothing left: this says nothing of the far side.
    const error = BridgeError.from(thrown, 'stage-crashed', parts.outbound.name);
    return { outcome: { kind: 'failed', error, answer: null }, kind: 'render', facts, decoded: message };
  }
  const parcel = { ...question, key: facts.edition.key, type: message.type };
  return {
    outcome: await reply(work, probe, parcel, { message, facts, parts }),
    kind: 'probe',
    facts,
    decoded: message,
  };
}

/** What the hospital says to the question. */
async function reply(
  work: Work,
  probe: Probe,
  parcel: Parcel,
  {
    message,
    facts,
    parts,
  }: { readonly message: Message; readonly facts: Facts; readonly parts: AttemptParts },
): Promise<Outcome> {
  const { outbound, clock } = parts;
  const inconclusive = (answer: Answer | null): Outcome => ({
    kind: 'failed',
    error: new BridgeError('probe-inconclusive', `${outbound.name} could not say whether it has it`),
    answer,
  });
  try {
    const answer = await send(parcel, parts);
    if (judge(answer, outbound.verdicts).kind === 'failed') return inconclusive(answer);
    const word = probe.says(answer.body, message, facts);
    if (word === null) return inconclusive(answer);
    if (word !== 'absent') return { kind: 'answered', verdict: word, answer };
    const settledAt = (work.lastSentAt?.getTime() ?? 0) + probe.settleAfterMs;
    return clock.now().getTime() < settledAt ? inconclusive(answer) : { kind: 'absent' };
  } catch (thrown) {
    return { kind: 'failed', error: BridgeError.from(thrown, 'stage-crashed', outbound.name), answer: null };
  }
}

async function send(parcel: Parcel, { channel, outbound, clock, disowned }: AttemptParts): Promise<Answer> {
  const over = new AbortController();
  const end = () => over.abort();
  const answered = clock.alarm(outbound.deadlineMs, end);
  disowned?.addEventListener('abort', end);
  try {
    return await channel.send(parcel, over.signal);
  } finally {
    answered();
    disowned?.removeEventListener('abort', end);
  }
}

function factsOf({ delivery, booking, edition }: Work, { plan, outbound }: AttemptParts): Facts {
  const system = plan.systems.get(outbound.system);
  return {
    booking: bookingFacts(booking),
    edition: { key: edition?.key ?? editionKey(delivery.edition) },
    system: { name: outbound.system, timeZone: system?.timeZone ?? null },
  };
}

/** A repeat sends its stored bytes, whatever the plan of today makes of the message. */
function readable({ message, edition }: Work, plan: Plan): Message | BridgeError {
  const decoded = decode(message, plan);
  return decoded instanceof BridgeError && edition !== null ? message : decoded;
}

/** The decoded form of a kept message, or why it can no longer be read by the plan of today. */
export function decode(message: Message<Uint8Array>, plan: Plan): Message | BridgeError {
  const inbound = plan.inbound.get(message.channel);
  if (inbound === undefined) return decodeJson(message);
  const result = inbound.read({ body: message.body, headers: message.headers });
  if (result.kind === 'refused') return result.error;
  return { ...message, form: result.reading.form, body: result.reading.body };
}

/** What was made here is JSON. So is most of what came by a channel that the plan of today no longer has. */
function decodeJson(message: Message<Uint8Array>): Message | BridgeError {
  try {
    return { ...message, form: 'json', body: JSON.parse(Buffer.from(message.body).toString('utf8')) };
  } catch {
    return new BridgeError(
      'body-unreadable',
      `${message.channel} is not in the plan, and what it brought is no JSON`,
    );
  }
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The key of an edition: the last 100 bits of its id in 20 Crockford characters, the length MSH-10 bears (HL7 v2.5.1 section 2.15.9.10). */
export function editionKey(edition: EditionId): string {
  const digits = edition.slice(7).replaceAll('-', '');
  let key = '';
  // Five hexadecimal digits are four of these.
  for (let at = 0; at < 25; at += 5) {
    const bits = Number.parseInt(digits.slice(at, at + 5), 16);
    for (let shift = 15; shift >= 0; shift -= 5) key += CROCKFORD[(bits >> shift) & 31];
  }
  return key;
}
