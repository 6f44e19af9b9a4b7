import { LEARNT_NAMES, type Learnt, type LearntName } from '../booking.ts';
import { type Path, textAt } from '../forms/form.ts';
import { type Compilation, reportKey, reportValue } from './compilation.ts';
import type { FormName, LearnConfig } from './config.ts';
import type { At } from './positions.ts';
import { onlyNear } from './suggest.ts';

/** Where a value of an arrival stands: in its body, or in what the protocol says beside it. */
export type Place = (body: unknown, headers: Readonly<Record<string, string>>) => unknown;

/** A path that gives nothing: stands in for one that could not be compiled, whose problem forbids the plan. */
const NOWHERE: Path = () => undefined;

/** The path that routes.yaml says at `at`; nowhere when it says none. */
export function pathIn(
  compilation: Compilation,
  form: FormName | undefined,
  path: string | undefined,
  at: At,
): Path {
  if (form === undefined || path === undefined) return NOWHERE;
  const found = compilation.tools.codecs[form].compilePath(path);
  if (typeof found === 'function') return found;
  reportValue(compilation, at, found.problem);
  return NOWHERE;
}

/** The same for a key of a condition, beside which stand the words in `words`. */
export function pathOfKey(compilation: Compilation, form: FormName, at: At, words: readonly string[]): Path {
  const path = String(at.at(-1));
  const found = compilation.tools.codecs[form].compilePath(path);
  if (typeof found === 'function') return found;
  const near = onlyNear(path, words);
  reportKey(compilation, at, found.problem, near);
  return NOWHERE;
}

const OF_PROTOCOL = /^([a-z]+)\.([A-Za-z0-9-]+)$/;

/**
 * The place that `read:` says at `at`. A path is in the language of the form; `amqp.messageId` is what the protocol
 * `amqp` says beside the body, and `header.name` a header of it.
 */
export function placeIn(
  compilation: Compilation,
  form: FormName | undefined,
  written: string | undefined,
  at: At,
): Place {
  const [, protocol = '', name = ''] = OF_PROTOCOL.exec(written ?? '') ?? [];
  if (protocol === 'header') return (_body, headers) => headers[name.toLowerCase()];
  // Another protocol's property never comes with an arrival of this channel.
  if (protocol !== '' && protocol === compilation.config.channels[String(at[1])]?.kind) {
    return (_body, headers) => headers[`${protocol}.${name}`];
  }
  return pathIn(compilation, form, written, at);
}

/** A value as an identifier: nothing for null, for empty text, and for lists and objects, which identify nothing. */
export function asIdentifier(value: unknown): string | undefined {
  const text = textAt(() => value, null);
  return text === '' ? undefined : text;
}

/** A value as the text it is kept as: lists and objects as compact JSON, nothing for null and for empty text. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : asIdentifier(value);
}

/** What a booking learns from a body. */
export type Learn = (body: unknown, headers: Readonly<Record<string, string>>) => Learnt;

/** Compiles `learn:` at `at`. What an answer says is in its body; of an arrival the protocol may say it as well. */
export function learnIn(
  compilation: Compilation,
  form: FormName | undefined,
  learn: LearnConfig,
  { at, from }: { readonly at: At; readonly from: 'arrival' | 'answer' },
): Learn {
  const compile = from === 'arrival' ? placeIn : pathIn;
  const places = LEARNT_NAMES.filter((name) => learn[name] !== undefined).map(
    (name): readonly [LearntName, Place] => [name, compile(compilation, form, learn[name], [...at, name])],
  );
  return (body, headers) => {
    const learnt: Partial<Record<LearntName, string>> = {};
    for (const [name, place] of places) {
      const text = asText(place(body, headers));
      if (text !== undefined) learnt[name] = text;
    }
    return learnt;
  };
}
