import { LEARNT_NAMES } from '../booking.ts';
import type { OptionsSchema } from '../channel.ts';
import { DURATION_PATTERN, SIZE_PATTERN } from './units.ts';

/** A duration with its unit. */
export function duration(description: string, byDefault?: string): OptionsSchema {
  return withUnit(description, DURATION_PATTERN, byDefault, ['500ms', '10s', '5m', '24h']);
}

/** A size with its unit. */
export function size(description: string, byDefault?: string): OptionsSchema {
  return withUnit(description, SIZE_PATTERN, byDefault, ['64KB', '1MB']);
}

function withUnit(
  description: string,
  pattern: string,
  byDefault: string | undefined,
  examples: string[],
): OptionsSchema {
  const preset = byDefault === undefined ? {} : { default: byDefault };
  return { description, type: 'string', pattern, ...preset, examples };
}

/** A text that may not be empty. */
export function text(description: string, ...examples: readonly string[]): OptionsSchema {
  return { description, type: 'string', minLength: 1, ...(examples.length === 0 ? {} : { examples }) };
}

/** The form of a body. */
export function form(description: string): OptionsSchema {
  return { description, enum: ['json', 'xml'] };
}

const SCALAR = { type: ['string', 'number', 'boolean'] };

/** A condition: every path must have the value, or one of the values, that is said. */
export function condition(description: string, own: Readonly<Record<string, OptionsSchema>>): OptionsSchema {
  return {
    description,
    type: 'object',
    minProperties: 1,
    properties: own,
    additionalProperties: oneOrMany('The value at this path, or a list of which one must be there.'),
  };
}

/** A value, or a list of which one must hold. */
export function oneOrMany(description: string): OptionsSchema {
  return { description, ...either({ type: 'array' }, { type: 'array', minItems: 1, items: SCALAR }, SCALAR) };
}

/** What a booking learns, by name. */
export function learn(description: string): OptionsSchema {
  const properties = LEARNT_NAMES.map((name) => [name, text(`Where ${LEARNT[name]} stands.`)]);
  return {
    description,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}

const LEARNT: Readonly<Record<(typeof LEARNT_NAMES)[number], string>> = {
  hospitalRef: "the hospital's own reference",
  slotStart: 'the start of the slot',
  slotEnd: 'the end of the slot',
  doctor: 'the id of the doctor',
  patient: 'the id of the patient',
  reason: 'the reason of a no',
  alternatives: 'other slots that are offered',
};

/** A template and what the protocols of `envelopes` need beside the body. */
export function rendering(envelopes: readonly OptionsSchema[]): OptionsSchema {
  const free = envelopes.some((envelope) => typeof envelope['additionalProperties'] === 'object');
  return {
    description: 'A template, and what the protocol needs beside the body.',
    type: 'object',
    additionalProperties: free ? { type: 'string' } : false,
    required: ['template'],
    properties: {
      template: text('The file of the template.', 'transforms/riverside/request.json.yaml'),
      ...merged(envelopes.map(propertiesOf)),
    },
  };
}

/** The keys of all envelopes. Where two kinds mean different things by one key, only that it is text is known here. */
function merged(
  envelopes: readonly Readonly<Record<string, OptionsSchema>>[],
): Readonly<Record<string, OptionsSchema>> {
  const all = new Map<string, OptionsSchema>();
  for (const [name, schema] of envelopes.flatMap((envelope) => Object.entries(envelope))) {
    const other = all.get(name);
    const same = other === undefined || JSON.stringify(other) === JSON.stringify(schema);
    all.set(name, same ? schema : { type: 'string', description: schema['description'] });
  }
  return Object.fromEntries(all);
}

/** One schema or the other, by whether a third holds. */
export function either(
  test: OptionsSchema,
  yes: OptionsSchema,
  no: OptionsSchema | true = true,
): OptionsSchema {
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word
  return { if: test, then: yes, else: no };
}

/** A pattern that also lets a reference to a secret through, for editors: lint checks what it stands for. */
export function orReference(pattern: string): string {
  return `^\\$\\{(env|file):[^}]+\\}$|${pattern}`;
}

/** The properties of an object schema by name. */
export function propertiesOf(schema: OptionsSchema | undefined): Readonly<Record<string, OptionsSchema>> {
  const properties = schema?.['properties'];
  return typeof properties === 'object' && properties !== null
    ? (properties as Readonly<Record<string, OptionsSchema>>)
    : {};
}
