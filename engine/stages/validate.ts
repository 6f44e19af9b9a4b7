import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { BridgeError } from '../errors.ts';
import { readJson } from '../forms/json/reader.ts';
import { placeOf } from '../forms/refusal.ts';
import type { Problem } from '../plan.ts';
import { type Finding, findDangers } from './dangers.ts';
import { type Presence, presence } from './describes.ts';
import { explain, type Violation } from './violation.ts';

/** A compiled JSON Schema (draft-07). */
export interface Schema {
  readonly id: string | null;
  /** The first thing wrong with a body: where, by which rule and what to do. Never a value of the body. */
  check(body: unknown): Violation | null;
  /** Whether a body that passes has something at this path; `*` stands for an item of a list. */
  describes(path: readonly string[]): Presence;
}

export type CompiledSchema =
  | { readonly kind: 'schema'; readonly schema: Schema }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Compiles the text of a schema file. `file` is what problems name. */
export function compileSchema(file: string, text: string): CompiledSchema {
  const offsets = new Map<string, number>();
  try {
    const node = readJson(text, { maxDepth: 64, onValue: (pointer, at) => offsets.set(pointer, at) });
    const findings = findDangers(node);
    if (findings.length > 0) return problems(file, text, offsets, findings);
    return compiled(node);
  } catch (thrown) {
    return problems(file, text, offsets, [findingOf(thrown, text, offsets)]);
  }
}

function compiled(node: unknown): CompiledSchema {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    throw new BridgeError('config-invalid', 'a schema is an object');
  }
  const validate = newAjv().compile(node);
  const id = '$id' in node && typeof node.$id === 'string' ? node.$id : null;
  const schema: Schema = {
    id,
    check: (body) => firstViolation(validate, body),
    describes: (path) => presence(node, path),
  };
  return { kind: 'schema', schema };
}

// One for each schema: an instance remembers every `$id`, and a reload brings the same ones again.
function newAjv(): Ajv {
  const ajv = new Ajv({
    strict: true,
    strictRequired: true,
    // All errors of a hostile list took 120 MB and 117 ms; the first one takes 0.15 ms.
    allErrors: false,
    ownProperties: true,
    coerceTypes: false,
    useDefaults: false,
    logger: false,
  });
  formats.default(ajv, ['date', 'date-time', 'time', 'duration', 'uuid', 'uri', 'email']);
  return ajv;
}

function firstViolation(validate: ValidateFunction, body: unknown): Violation | null {
  if (validate(body)) return null;
  const errors: readonly ErrorObject[] = validate.errors ?? [];
  // Errors of single branches come before the one that says that none holds, which is the one to tell.
  const choice = errors.findLast(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  const error = choice ?? errors[0];
  if (error === undefined) throw new BridgeError('stage-crashed', 'a schema refused a body without a reason');
  return explain(error);
}

/** What the reader or Ajv says is wrong with the schema, at the pointer or the word it names. */
function findingOf(thrown: unknown, text: string, offsets: ReadonlyMap<string, number>): Finding {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof BridgeError && typeof thrown.details['line'] === 'number') {
    return { message, line: thrown.details['line'], column: Number(thrown.details['column']) };
  }
  const pointer = /data(\/\S*) /.exec(message)?.[1];
  if (pointer !== undefined && offsets.has(pointer)) return { pointer, message };
  const word = /"([^"]+)"/.exec(message)?.[1];
  const offset = word === undefined ? -1 : text.indexOf(`"${word}"`);
  return { message, ...placeOf(text, Math.max(offset, 0)) };
}

function problems(
  file: string,
  text: string,
  offsets: ReadonlyMap<string, number>,
  findings: readonly Finding[],
): CompiledSchema {
  const list = findings.map(({ message, instead, ...where }): Problem => {
    const place = 'line' in where ? where : placeOf(text, offsets.get(where.pointer) ?? 0);
    const { line, column } = place;
    return { file, line, column, message, ...(instead === undefined ? {} : { instead }), severity: 'error' };
  });
  return { kind: 'problems', problems: list };
}
