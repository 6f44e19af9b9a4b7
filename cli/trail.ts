import { CATALOGUE } from '../engine/errors.ts';
import type {
  AttemptRecord,
  AuditRecord,
  DeliveryTrail,
  EditionRecord,
  MessageTrail,
  StepRecord,
  Trail,
} from '../engine/records.ts';
import { asJsonValue, asLines, harmless } from './payload.ts';
import { CALLED, coloured, span } from './terminal.ts';

/** A trail for people: in the order things were kept, each with what came before and what came of it. */
export function trailLines(trail: Trail, payloads: boolean): readonly string[] {
  const steps = new Map(trail.steps.map((step) => [step.message, step]));
  return [
    ...standing(trail),
    ...trail.messages.flatMap((message) => messageLines(message, steps.get(message.message.id), payloads)),
    ...next(trail),
  ];
}

function standing({ booking }: Trail): readonly string[] {
  if (booking === null) return [];
  const { hospitalRef, agreed } = booking.context;
  const words = [
    booking.state,
    `at ${booking.hospital}`,
    hospitalRef === undefined ? null : `there ${harmless(hospitalRef)}`,
    agreed?.slotStart === undefined ? null : `agreed ${harmless(agreed.slotStart)}`,
  ];
  return [
    coloured('bold', `${harmless(booking.reference)}  ${words.filter((word) => word !== null).join(', ')}`),
  ];
}

function messageLines(
  { message, keptAt, plan, refused, deliveries, audit }: MessageTrail,
  step: StepRecord | undefined,
  payloads: boolean,
): readonly string[] {
  const { id, type, channel, hospital, headers, body } = message;
  const took = span(Math.max(0, keptAt.getTime() - message.receivedAt.getTime()));
  const from = Object.entries(headers).map(([name, value]) => `${name}=${harmless(value)}`);
  return [
    '',
    `${timeOf(keptAt)}  ${coloured('bold', harmless(type))} from ${channel}, ${hospital}, kept in ${took}  ${id}`,
    ...(from.length === 0 || !payloads ? [] : [`    ${from.join('  ')}`]),
    ...payloadLines('received', body, payloads),
    ...(refused === null ? [] : refusalLines(id, refused)),
    ...(step === undefined ? [] : [`    booking ${step.before ?? 'new'} → ${coloured('bold', step.after)}`]),
    ...(plan === null ? [] : [`    by plan ${plan.slice(0, 12)}`]),
    ...audit.map(auditLine),
    ...deliveries.flatMap((delivery) => deliveryLines(delivery, payloads)),
  ];
}

function refusalLines(id: string, { error, open }: NonNullable<MessageTrail['refused']>): readonly string[] {
  const { code, message, details } = error;
  const where = ['pointer', 'rule', 'state', 'legal'].flatMap((name) =>
    details[name] === undefined ? [] : [`${name} ${details[name]}`],
  );
  const remedy = details['remedy'] ?? CATALOGUE[code].remedy;
  return [
    `    ${coloured('red', 'refused')} ${code}: ${[harmless(message), ...where].join(', ')}`,
    `    ${CATALOGUE[code].owner}: ${remedy}`,
    ...(open ? [`    close it: ${CALLED} settle ${id} --as given-up --reason "…"`] : ['    closed']),
  ];
}

function deliveryLines(
  { delivery, state, at, error, editions, attempts, audit }: DeliveryTrail,
  payloads: boolean,
): readonly string[] {
  const { id, route, channel } = delivery;
  const stands = state === 'held' || state === 'dead';
  return [
    `  → ${route} to ${channel}: ${coloured(stands ? 'red' : 'bold', state)} ${timeOf(at)}  ${id}`,
    ...editions.flatMap((edition) => editionLines(edition, payloads)),
    ...attempts.flatMap((attempt) => attemptLines(attempt, payloads)),
    ...(error === null || !(stands || state === 'queued')
      ? []
      : [
          `      ${error.code}: ${harmless(error.message)}`,
          `      ${CATALOGUE[error.code].owner}: ${error.remedy}`,
        ]),
    ...audit.map((one) => `  ${auditLine(one)}`),
  ];
}

function editionLines(
  { key, envelope, body, facts, plan, writtenAt }: EditionRecord,
  payloads: boolean,
): readonly string[] {
  const beside = Object.entries(envelope).map(([name, value]) => `${name} ${harmless(value)}`);
  return [
    `      ${[`edition ${key}`, `on disk ${timeOf(writtenAt)}`, ...(payloads ? beside : []), `plan ${plan.slice(0, 12)}`].join(', ')}`,
    ...(payloads ? [`      facts ${harmless(facts)}`] : []),
    ...payloadLines('  sent', body, payloads),
  ];
}

function attemptLines(
  { kind, no, startedAt, endedAt, outcome, summary, response }: AttemptRecord,
  payloads: boolean,
): readonly string[] {
  const took = span(endedAt.getTime() - startedAt.getTime());
  return [
    `      ${kind} ${no}: ${coloured('bold', outcome)} at ${timeOf(endedAt)}, after ${took}${summary === '' ? '' : `, ${harmless(summary)}`}`,
    ...(response === null ? [] : payloadLines('  answered', response, payloads)),
  ];
}

function payloadLines(what: string, body: Uint8Array, payloads: boolean): readonly string[] {
  if (!payloads) return [`    ${what} ${body.length} bytes`];
  return [
    `    ${what} ${body.length} bytes`,
    ...asLines(body).map((line) => `        ${coloured('dim', line)}`),
  ];
}

function auditLine({ at, by, action, reason }: AuditRecord): string {
  return `    ${timeOf(at)}  ${action} by ${by}: ${harmless(reason)}`;
}

function next({ messages }: Trail): readonly string[] {
  const stopped = messages
    .flatMap(({ deliveries }) => deliveries)
    .find(({ state }) => state === 'held' || state === 'dead');
  return stopped === undefined ? [] : ['', `Next: ${CALLED} dead-letters show ${stopped.delivery.id}`];
}

/** Universal time to the millisecond, as it is kept. */
export function timeOf(at: Date): string {
  return at.toISOString().replace('T', ' ');
}

/** A trail as JSON; without payloads nothing of a body, a header or a fact is in it. */
export function trailJson({ booking, steps, messages }: Trail, payloads: boolean): unknown {
  const { context, ...plain } = booking ?? {};
  return {
    booking: booking === null ? null : payloads ? { ...plain, context } : plain,
    steps,
    messages: messages.map((one) => messageJson(one, payloads)),
  };
}

function messageJson({ message, deliveries, refused, ...rest }: MessageTrail, payloads: boolean): unknown {
  const { headers, body, ...plain } = message;
  return {
    ...plain,
    ...rest,
    bytes: body.length,
    ...(payloads ? { headers, body: asJsonValue(body) } : {}),
    refused: refused === null ? null : { open: refused.open, ...errorJson(refused.error) },
    deliveries: deliveries.map((one) => deliveryJson(one, payloads)),
  };
}

function deliveryJson(
  { delivery, error, editions, attempts, ...rest }: DeliveryTrail,
  payloads: boolean,
): unknown {
  const { lane, ...plain } = delivery;
  return {
    ...plain,
    lane: lane?.toString('hex') ?? null,
    ...rest,
    error: error === null ? null : errorJson(error),
    editions: editions.map(({ body, envelope, facts, ...edition }) => ({
      ...edition,
      bytes: body.length,
      ...(payloads ? { envelope, facts: JSON.parse(facts) as unknown, body: asJsonValue(body) } : {}),
    })),
    attempts: attempts.map(({ response, ...attempt }) => ({
      ...attempt,
      ...(payloads ? { response: response === null ? null : asJsonValue(response) } : {}),
    })),
  };
}

function errorJson({ code, message, details, remedy }: NonNullable<DeliveryTrail['error']>): object {
  return { code, message, owner: CATALOGUE[code].owner, remedy, details };
}
