import type { Answer } from '../../engine/channel.ts';
import type { ErrorCode } from '../../engine/errors.ts';
import type { Path } from '../../engine/forms/form.ts';
import { codecs } from '../../engine/forms/index.ts';
import type { HttpResponse } from '../http/exchange.ts';
import { codeIn, forAnother, pathOption, readBody, succeeded } from '../http/reading.ts';
import { meaningOf, retryAfter } from '../http/status.ts';
import { type FaultPaths, faultIn, faultSignals, meaningOfFault } from './fault.ts';
import type { SoapOptions } from './options.ts';

/** How a channel reads its answers. */
export interface SoapReader extends FaultPaths {
  readonly channel: string;
  /** Where every envelope has its body: what has none is no envelope. */
  readonly envelopeBody: Path;
  readonly code: Path | null;
  readonly echo: Path | null;
}

/** Compiles what a channel says about its answers. Throws `config-invalid` for a path that cannot be read. */
export function soapReader(channel: string, { code, echo }: Pick<SoapOptions, 'code' | 'echo'>): SoapReader {
  const at = (option: string, path: string) => pathOption({ channel, option }, path, codecs.xml);
  return {
    channel,
    envelopeBody: at('envelope', 'Body'),
    fault: at('fault', 'Body/Fault'),
    faultcode: at('fault', 'Body/Fault/faultcode'),
    codeValue: at('fault', 'Body/Fault/Code/Value'),
    code: code === undefined ? null : at('code', code),
    echo: echo === undefined ? null : at('echo', echo),
  };
}

interface Meaning {
  readonly says: string;
  readonly signals: readonly string[];
  readonly otherwise: ErrorCode | null;
}

/** What a complete response says to the request sent under `key`. Never throws: its bytes belong into the trail. */
export function readAnswer(response: HttpResponse, key: string, reader: SoapReader, now: Date): Answer {
  const { says, signals, otherwise } = interpret(response, key, reader);
  return {
    signals,
    otherwise,
    retryAfterMs: retryAfter(response.headers['retry-after'], now),
    summary: `${reader.channel} answered ${response.status}${says}`,
    body: response.body,
  };
}

function interpret(response: HttpResponse, key: string, reader: SoapReader): Meaning {
  const { status } = response;
  const reading = readBody(response, codecs.xml);
  const envelope = reading.kind === 'read' ? reading.body : undefined;
  const isEnvelope = reader.envelopeBody(envelope) !== undefined;
  if (reading.kind === 'unreadable' || (reading.kind === 'read' && !isEnvelope && succeeded(status))) {
    return { says: ', not readable as SOAP', signals: [], otherwise: 'answer-unreadable' };
  }
  if (!isEnvelope) return plainHttp(status);
  if (forAnother(envelope, reader.echo, key)) {
    return { says: ' to another message', signals: [], otherwise: 'answer-mismatched' };
  }
  const fault = faultIn(envelope, reader);
  if (fault === null) return succeeded(status) ? RESPONSE : plainHttp(status);
  const signals = faultSignals(fault, codeIn(envelope, reader.code));
  return { says: ' with a fault', signals, otherwise: byStatus(status) ?? meaningOfFault(fault) };
}

const RESPONSE: Meaning = { says: '', signals: ['response'], otherwise: null };

/** Without an envelope only the status speaks; a 2xx without one says nothing about the operation. */
function plainHttp(status: number): Meaning {
  return {
    says: ' without an envelope',
    signals: [`${status}`],
    otherwise: succeeded(status) ? 'answer-unreadable' : meaningOf(status),
  };
}

/** A status that says more than the class of its fault: credentials, or that it is only busy. */
function byStatus(status: number): ErrorCode | null {
  const meaning = meaningOf(status);
  return meaning === 'credentials-refused' || meaning === 'busy' ? meaning : null;
}
