import type { ErrorObject } from 'ajv';

/** One rule of a schema that a body breaks. It holds names and rules of the schema, never a value of the body. */
export interface Violation {
  /** Where, as a JSON Pointer; for something missing, where it must be. */
  readonly pointer: string;
  /** The keyword of the schema: `required`, `format`. */
  readonly rule: string;
  readonly message: string;
  /** What to send instead. */
  readonly remedy: string;
}

type Say = (params: Readonly<Record<string, unknown>>) => readonly [problem: string, remedy: string];

const EXAMPLES: Readonly<Record<string, string>> = {
  'date-time': 'an instant with its offset, like 2026-12-02T08:00:00+03:00',
  date: 'a date of the calendar, like 2026-12-02',
  time: 'a time with its offset, like 08:00:00+03:00',
  duration: 'a duration, like PT30M',
  uuid: 'a UUID',
  uri: 'a URI',
  email: 'an e-mail address',
};

const limit = (what: string, unit: string): Say => {
  return ({ limit }) => [
    `must ${what} ${limit} ${unit}`,
    `send ${what.replace('have ', '')} ${limit} ${unit}`,
  ];
};

const SAYINGS: Readonly<Record<string, Say>> = {
  required: ({ missingProperty }) => ['is missing', `add "${missingProperty}"`],
  type: ({ type }) => [`must be of type ${type}`, `send a value of type ${type}`],
  format: ({ format }) => [`does not match format "${format}"`, `send ${EXAMPLES[String(format)] ?? format}`],
  pattern: ({ pattern }) => [`does not match pattern ${pattern}`, `send a text that matches ${pattern}`],
  enum: ({ allowedValues }) => {
    const allowed = JSON.stringify(allowedValues);
    return ['is none of the allowed values', `send one of ${allowed}`];
  },
  const: ({ allowedValue }) => ['is not the one allowed value', `send ${JSON.stringify(allowedValue)}`],
  minLength: limit('have at least', 'characters'),
  maxLength: limit('have at most', 'characters'),
  minItems: limit('have at least', 'items'),
  maxItems: limit('have at most', 'items'),
  minProperties: limit('have at least', 'properties'),
  maxProperties: limit('have at most', 'properties'),
  minimum: ({ comparison, limit }) => [
    `must be ${comparison} ${limit}`,
    `send a number ${comparison} ${limit}`,
  ],
  maximum: ({ comparison, limit }) => [
    `must be ${comparison} ${limit}`,
    `send a number ${comparison} ${limit}`,
  ],
  // Its name is the sender's word and may be anything.
  additionalProperties: () => [
    'has a property the schema does not know',
    'leave out what the schema does not name',
  ],
  uniqueItems: () => ['has two equal items', 'send each item once'],
  anyOf: () => ['has none of the shapes the schema allows', 'send one of the shapes the schema lists'],
  oneOf: () => ['must have exactly one of the shapes the schema lists', 'send one of those shapes'],
};

/** Says in our words what Ajv found. */
export function explain(error: ErrorObject): Violation {
  const { keyword, instancePath, params } = error;
  const pointer =
    keyword === 'required' ? `${instancePath}/${escaped(params['missingProperty'])}` : instancePath;
  const say = SAYINGS[keyword];
  const [problem, remedy] = say?.(params) ?? [
    `breaks the rule "${keyword}"`,
    'send what the schema asks for',
  ];
  return { pointer, rule: keyword, message: `${pointer || 'the body'} ${problem}`, remedy };
}

const escaped = (name: unknown): string => String(name).replaceAll('~', '~0').replaceAll('/', '~1');
