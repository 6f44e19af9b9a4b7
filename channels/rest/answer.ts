import type { Answer } from '../../engine/channel.ts';
import type { ErrorCode } from '../../engine/errors.ts';
import type { FormCodec, Path } from '../../engine/forms/form.ts';
import { codecs } from '../../engine/forms/index.ts';
import type { HttpResponse } from '../http/exchange.ts';
import { codeIn, forAnother, pathOption, readBody } from '../http/reading.ts';
import { meaningOf, retryAfter } from '../http/status.ts';
import type { RestOptions } from './options.ts';

/** How a channel reads its answers. */
export interface RestReader {
  readonly channel: string;
  readonly codec: FormCodec;
  readonly code: Path | null;
  readonly echo: Path | null;
}

/** Compiles what a channel says about its answers. Throws `config-invalid` for a path that cannot be read. */
export function restReader(
  channel: string,
  { form, code, echo }: Pick<RestOptions, 'form' | 'code' | 'echo'>,
): RestReader {
  const codec = codecs[form];
  return {
    channel,
    codec,
    code: code === undefined ? null : pathOption({ channel, option: 'code' }, code, codec),
    echo: echo === undefined ? null : pathOption({ channel, option: 'echo' }, echo, codec),
  };
}

/** What a complete response says to the request sent under `key`. Never throws: its bytes belong into the trail. */
export function readAnswer(response: HttpResponse, key: string, reader: RestReader, now: Date): Answer {
  const { status, headers, body } = response;
  const { channel, codec, code, echo } = reader;
  const answer = (summary: string, signals: readonly string[], otherwise: ErrorCode | null): Answer => ({
    signals,
    otherwise,
    retryAfterMs: retryAfter(headers['retry-after'], now),
    summary: `${channel} answered ${status}${summary}`,
    body,
  });
  const reading = readBody(response, codec);
  if (reading.kind === 'unreadable')
    return answer(`, not readable as ${codec.form}`, [], 'answer-unreadable');
  if (reading.kind === 'none') return answer('', [`${status}`], meaningOf(status));
  if (forAnother(reading.body, echo, key)) return answer(' to another message', [], 'answer-mismatched');
  const word = codeIn(reading.body, code);
  return answer('', word === null ? [`${status}`] : [`${status}/${word}`, `${status}`], meaningOf(status));
}
