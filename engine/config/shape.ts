import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { ChannelKind } from '../channel.ts';
import type { At, YamlFile } from './positions.ts';
import type { Problems } from './problems.ts';
import { routesSchema } from './schema.ts';
import { propertiesOf } from './schema-parts.ts';
import { hasReference } from './secrets.ts';
import { sentenceOf } from './shape-sentence.ts';
import { parseDuration, parseSize } from './units.ts';

type Tree = Record<string, unknown> | unknown[];

const compiled = new WeakMap<readonly ChannelKind[], ValidateFunction>();

/**
 * Checks `value` against the schema of routes.yaml. Every deviation becomes a problem, and what deviates is
 * taken out of `value`, so that the rest can still be looked at in the same run.
 */
export function checkShape(
  value: unknown,
  kinds: readonly ChannelKind[],
  yaml: YamlFile,
  problems: Problems,
): void {
  const validate = validatorOf(kinds);
  if (validate(value)) return;
  const errors = (validate.errors ?? []).filter((error) => isWorthSaying(error, yaml));
  for (const error of errors) {
    const at = stepsOf(error.instancePath);
    const problem = sentenceOf(error, at, yaml);
    problems.add({ file: yaml.file, severity: 'error', ...problem });
  }
  // Taken out last, so that no error is described by a tree that has changed since.
  for (const error of errors) takeOut(value, error);
}

// These say no more than that something below them, which is said too, does not hold.
const SUMMARIES = ['if', 'allOf', 'anyOf', 'not'];

function isWorthSaying(
  { keyword, instancePath, params, propertyName }: ErrorObject,
  yaml: YamlFile,
): boolean {
  if (SUMMARIES.includes(keyword)) return false;
  if (propertyName !== undefined && keyword !== 'propertyNames') return false;
  // It is written, and gone because its secret was not found, which is said already.
  return keyword !== 'required' || !yaml.has([...stepsOf(instancePath), String(params['missingProperty'])]);
}

function validatorOf(kinds: readonly ChannelKind[]): ValidateFunction {
  const known = compiled.get(kinds);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    formats: {
      duration: (text: string) => hasReference(text) || parseDuration(text) !== null,
      size: (text: string) => hasReference(text) || parseSize(text) !== null,
      'time-zone': isTimeZone,
      uri: (text: string) => URL.canParse(text),
    },
    keywords: ['enumDescriptions', 'markdownDescription'],
  });
  const validate = ajv.compile(routesSchema(kinds));
  compiled.set(kinds, validate);
  return validate;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function stepsOf(pointer: string): At {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function takeOut(root: unknown, { instancePath, keyword, params }: ErrorObject): void {
  const at = [...stepsOf(instancePath)];
  if (keyword === 'required' || keyword === 'minProperties') return;
  if (keyword === 'additionalProperties') at.push(String(params['additionalProperty']));
  if (keyword === 'propertyNames') return;
  const last = at.pop();
  if (last === undefined) return;
  const parent = at.reduce<unknown>(
    (tree, step) => (isTree(tree) ? (tree as Record<string, unknown>)[step] : undefined),
    root,
  );
  if (Array.isArray(parent)) parent[Number(last)] = null;
  else if (isTree(parent)) delete (parent as Record<string, unknown>)[last];
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

/** The options a schema lists, from what was configured; what was left out gets its default, durations and sizes become numbers. */
export function optionsBy(
  schema: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    const value = given[name] ?? structuredClone(property['default']);
    if (value !== undefined) options[name] = optionBy(property, value);
  }
  return options;
}

function optionBy(schema: Readonly<Record<string, unknown>>, value: unknown): unknown {
  if (typeof value === 'string' && schema['format'] === 'duration') return parseDuration(value);
  if (typeof value === 'string' && schema['format'] === 'size') return parseSize(value);
  const nested = Object.keys(propertiesOf(schema)).length > 0;
  if (!nested || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return optionsBy(schema, value as Readonly<Record<string, unknown>>);
}
