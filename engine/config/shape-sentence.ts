import type { ErrorObject } from 'ajv';
import type { At, YamlFile } from './positions.ts';
import type { Position } from './problems.ts';
import { didYouMean } from './suggest.ts';
import { DURATION_PATTERN, SIZE_PATTERN } from './units.ts';

/** What is wrong, where, and what to write instead. */
export interface Sentence extends Position {
  readonly message: string;
  readonly instead?: string;
}

/** An error of the schema in a person's words. Values are quoted only from a list of choices: others may be secrets. */
export function sentenceOf(error: ErrorObject, at: At, yaml: YamlFile): Sentence {
  const name = at.join('.') || 'routes.yaml';
  const { params, keyword } = error;
  switch (keyword) {
    case 'additionalProperties':
      return unknownKey(error, at, yaml, name);
    case 'required':
      return missingKey(error, at, yaml, name);
    case 'propertyNames':
      return badName(String(params['propertyName']), at, yaml);
    case 'enum':
      return notAChoice(error, at, yaml, name);
    case 'type':
      return wrongType(error, at, yaml, name);
    default:
      return { ...yaml.valueAt(at), ...malformed(error, name) };
  }
}

function unknownKey({ params, parentSchema }: ErrorObject, at: At, yaml: YamlFile, name: string): Sentence {
  const key = String(params['additionalProperty']);
  const known = Object.keys((parentSchema?.['properties'] ?? {}) as Readonly<Record<string, unknown>>);
  const message = `${key} is not a key of ${name}`;
  return { ...yaml.keyAt([...at, key]), message, ...orNothing(didYouMean(key, known)) };
}

function missingKey({ params, parentSchema }: ErrorObject, at: At, yaml: YamlFile, name: string): Sentence {
  const key = String(params['missingProperty']);
  const properties = (parentSchema?.['properties'] ?? {}) as Readonly<
    Record<string, { examples?: unknown[] } | true>
  >;
  const property = properties[key];
  const example = typeof property === 'object' ? property.examples?.[0] : undefined;
  const instead = example === undefined ? `Add ${key}.` : `Add ${key}: ${String(example)}, for example.`;
  return { ...yaml.keyAt(at), message: `${name} lacks ${key}`, instead };
}

function badName(key: string, at: At, yaml: YamlFile): Sentence {
  const position = yaml.keyAt([...at, key]);
  if (['bookings', 'engine', 'timer'].includes(key)) {
    return {
      ...position,
      message: `${key} is the name of a built-in channel`,
      instead: 'Give the channel another name.',
    };
  }
  return {
    ...position,
    message: `${key} cannot be a name`,
    instead: 'Write a name of small letters, digits and hyphens instead.',
  };
}

function notAChoice({ params }: ErrorObject, at: At, yaml: YamlFile, name: string): Sentence {
  const choices = (params['allowedValues'] as readonly unknown[]).map(String);
  const written = yaml.textAt(at) ?? '';
  const message = `${written || 'this'} is not a value of ${name}`;
  return {
    ...yaml.valueAt(at),
    message,
    ...orNothing(didYouMean(written, choices) ?? `Write one of ${choices.join(', ')} instead.`),
  };
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys and values',
  array: 'a list',
  null: 'nothing',
};

function wrongType({ params }: ErrorObject, at: At, yaml: YamlFile, name: string): Sentence {
  const wanted = [params['type']].flat().map((type) => TYPES[String(type)] ?? String(type));
  const written = yaml.textAt(at);
  const message = `${name} must be ${wanted.join(' or ')}`;
  const quoted = wanted.length === 1 && wanted[0] === 'a text' && written !== null && written !== '';
  return { ...yaml.valueAt(at), message, ...orNothing(quoted ? `'${written}'` : undefined) };
}

function malformed(
  { keyword, params, schema, parentSchema }: ErrorObject,
  name: string,
): Omit<Sentence, keyof Position> {
  switch (keyword) {
    case 'const':
      return { message: `${name} must be ${String(schema)}`, instead: String(schema) };
    case 'minimum':
    case 'maximum':
      return {
        message: `${name} must be ${keyword === 'minimum' ? 'at least' : 'at most'} ${String(schema)}`,
      };
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return { message: `${name} must not be empty` };
    case 'pattern':
      return badPattern(String(params['pattern']), parentSchema?.['examples'], name);
    case 'format':
      return badFormat(String(params['format']), name);
    default:
      return { message: `${name} breaks the rule ${keyword}` };
  }
}

function badPattern(pattern: string, examples: unknown, name: string): Omit<Sentence, keyof Position> {
  if (pattern.includes(DURATION_PATTERN)) return badFormat('duration', name);
  if (pattern.includes(SIZE_PATTERN)) return badFormat('size', name);
  const example = Array.isArray(examples) ? examples[0] : undefined;
  const instead = example === undefined ? {} : { instead: `Write it like ${String(example)}.` };
  return { message: `${name} is not written as it must be`, ...instead };
}

function badFormat(format: string, name: string): Omit<Sentence, keyof Position> {
  switch (format) {
    case 'duration':
      return {
        message: `${name} must be a duration with its unit`,
        instead: 'Write it like 500ms, 10s, 5m or 24h.',
      };
    case 'size':
      return { message: `${name} must be a size with its unit`, instead: 'Write it like 64KB or 1MB.' };
    case 'time-zone':
      return { message: `${name} is no time zone`, instead: 'Write an IANA name like Asia/Riyadh instead.' };
    default:
      return { message: `${name} is no ${format}` };
  }
}

function orNothing(instead: string | undefined): { readonly instead?: string } {
  return instead === undefined ? {} : { instead };
}
