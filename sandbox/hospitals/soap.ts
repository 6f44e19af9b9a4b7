import { XmlDocument, type XmlElement } from 'libxml2-wasm';
import type { Appointment } from './calendar.ts';
import type { Ask, Result } from './hospital.ts';
import {
  type Addressing,
  digestOf,
  type Incoming,
  keyOfAnother,
  mistaken,
  type Protocol,
  type Reply,
} from './protocol.ts';

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';
const STMARY = 'urn:stmary:appointments:v1';
const NAMESPACES = { soap: ENVELOPE, m: STMARY };

/** The SOAP 1.1 interface of stmary: it books again what it is sent again, but it can be asked. */
export const soap: Protocol = {
  recognizesRepeats: false,
  prefix: 'SM',
  aside: () => null,
  read(incoming) {
    const read = readEnvelope(incoming);
    return { ...read, digest: digestOf(incoming) };
  },
  write,
  writeForAnother: (result, addressing, other) =>
    write(mistaken(result, other), { ...addressing, request: keyOfAnother(addressing.request) }),
};

/** The text at a path of element names below the operation; empty when absent. */
type Fields = (path: string) => string;

function readEnvelope({ method, headers, body }: Incoming): { key: string | null; ask: Ask } {
  if (method !== 'POST') return { key: null, ask: nonsense('only POST is served here') };
  if (!/^text\/xml\b/i.test(String(headers['content-type'] ?? '')))
    return { key: null, ask: nonsense('the content type is not text/xml') };
  let document: XmlDocument;
  try {
    document = XmlDocument.fromBuffer(body);
  } catch {
    return { key: null, ask: nonsense('the body is not well-formed XML') };
  }
  try {
    const key = document.get('/soap:Envelope/soap:Header/m:MessageId', NAMESPACES)?.content ?? null;
    const operation = document.get('/soap:Envelope/soap:Body/m:*', NAMESPACES) as XmlElement | null;
    if (operation === null) return { key, ask: nonsense('the Body holds no operation of this hospital') };
    const action = String(headers['soapaction'] ?? '').replaceAll('"', '');
    if (action !== '' && action !== operation.name)
      return { key, ask: nonsense('SOAPAction and Body name different operations') };
    const fields: Fields = (path) =>
      operation.get(path.replaceAll(/[^/]+/g, 'm:$&'), NAMESPACES)?.content ?? '';
    return { key, ask: askOf(operation.name, fields) };
  } finally {
    document.dispose();
  }
}

function askOf(operation: string, field: Fields): Ask {
  switch (operation) {
    case 'BookAppointment':
      return { operation: 'book', wish: wishOf(field) };
    case 'MoveAppointment':
      return {
        operation: 'move',
        hospitalRef: field('Reference'),
        reference: field('ExternalReference'),
        slot: { start: field('Start'), end: field('End') },
      };
    case 'CancelAppointment':
      return {
        operation: 'cancel',
        hospitalRef: field('Reference'),
        reference: field('ExternalReference'),
      };
    case 'FindAppointment':
      return findOf(field);
    default:
      return nonsense('this hospital has no such operation');
  }
}

function wishOf(field: Fields) {
  return {
    reference: field('ExternalReference'),
    doctor: field('DoctorId'),
    start: field('Start'),
    end: field('End'),
    patient: {
      id: field('Patient/Id'),
      name: field('Patient/Name'),
      birthDate: field('Patient/BirthDate') || null,
      phone: field('Patient/Phone') || null,
    },
    note: field('Note') || null,
  };
}

function findOf(field: Fields): Ask {
  const sought = field('Operation');
  if (sought !== 'Book' && sought !== 'Move' && sought !== 'Cancel')
    return nonsense('Operation is not Book, Move or Cancel');
  return {
    operation: 'find',
    reference: field('ExternalReference'),
    sought,
    start: field('Start') || null,
  };
}

const ANSWERS = { booked: 'BookAppointment', moved: 'MoveAppointment', cancelled: 'CancelAppointment' };

function write(result: Result, addressing: Addressing): Reply {
  switch (result.kind) {
    case 'effect':
      return response(ANSWERS[result.effect], seen(result.after), addressing);
    case 'appointment':
      return response('FindAppointment', seen(result.appointment), addressing);
    case 'found': {
      const appointment = result.appointment === null ? '' : seen(result.appointment);
      return response('FindAppointment', `<m:Found>${result.found}</m:Found>${appointment}`, addressing);
    }
    case 'slot-taken': {
      const alternatives = `<m:Alternatives>${escaped(result.alternatives.join(' '))}</m:Alternatives>`;
      return fault('Client', 'SLOT_TAKEN', 'the slot is taken', addressing, alternatives);
    }
    case 'unknown':
      return fault('Client', 'UNKNOWN', 'there is no such appointment', addressing);
    case 'invalid':
      return fault('Client', 'INVALID', result.message, addressing);
    case 'key-reused':
      return fault('Client', 'INVALID', 'the message id was used before', addressing);
    case 'busy':
      return fault('Server', 'BUSY', 'not now', addressing);
  }
}

function seen({ hospitalRef, reference, status, start, end }: Appointment): string {
  const word = status === 'booked' ? 'Booked' : 'Cancelled';
  return [
    `<m:Appointment><m:Reference>${escaped(hospitalRef)}</m:Reference>`,
    `<m:ExternalReference>${escaped(reference)}</m:ExternalReference><m:Status>${word}</m:Status>`,
    `<m:Start>${escaped(start)}</m:Start><m:End>${escaped(end)}</m:End></m:Appointment>`,
  ].join('');
}

function response(operation: string, content: string, { request }: Addressing): Reply {
  const body = `<m:${operation}Response>${content}</m:${operation}Response>`;
  return { ...envelope(200, body, request.key), label: '200' };
}

function fault(
  party: 'Client' | 'Server',
  code: string,
  words: string,
  { request, faultsWith200 }: Addressing,
  more = '',
): Reply {
  const detail = `<detail><m:Code>${code}</m:Code>${more}</detail>`;
  const body = [
    `<soap:Fault><faultcode>soap:${party}</faultcode><faultstring>${escaped(words)}</faultstring>`,
    `${detail}</soap:Fault>`,
  ].join('');
  return { ...envelope(faultsWith200 ? 200 : 500, body, request.key), label: `fault ${code}` };
}

function envelope(status: number, body: string, key: string | null) {
  const header = key === null ? '' : `<soap:Header><m:RelatesTo>${escaped(key)}</m:RelatesTo></soap:Header>`;
  return {
    status,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${ENVELOPE}" xmlns:m="${STMARY}">${header}<soap:Body>${body}</soap:Body></soap:Envelope>`,
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

function escaped(value: string): string {
  return value.replaceAll(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}

function nonsense(message: string): Ask {
  return { operation: 'unreadable', message };
}
