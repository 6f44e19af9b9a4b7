/** Whether a body that satisfies a schema has something at a path, as far as the schema says. */
export type Presence = 'always' | 'sometimes' | 'never';

type Node = Readonly<Record<string, unknown>>;

const STRENGTH = { never: 0, sometimes: 1, always: 2 } as const;
// `$ref` may go in a circle; no schema of ours is nested deeper.
const MAX_STEPS = 64;

/**
 * What a schema says of a path, `*` for an item of a list. A name it does not mention is *never* there, even
 * where it would tolerate it; inside an object it says nothing about, everything is *sometimes* there.
 */
export function presence(root: unknown, path: readonly string[]): Presence {
  return at(root, path, root, MAX_STEPS);
}

function at(schema: unknown, path: readonly string[], root: unknown, steps: number): Presence {
  if (path.length === 0) return 'always';
  if (schema === true || steps === 0) return 'sometimes';
  if (!isNode(schema)) return 'never';
  const next = (part: unknown): Presence => at(part, path, root, steps - 1);
  if (typeof schema['$ref'] === 'string') return next(target(root, schema['$ref']));
  const mentioned = [
    ownPresence(schema, path, root, steps),
    ...list(schema['allOf']).map(next),
    every(list(schema['anyOf']).map(next)),
    every(list(schema['oneOf']).map(next)),
    every([schema['then'], schema['else']].map((part) => (isNode(part) ? next(part) : 'never'))),
  ];
  const found = mentioned.reduce(stronger, 'never');
  return found === 'always' && schema['nullable'] === true ? 'sometimes' : found;
}

function ownPresence(schema: Node, path: readonly string[], root: unknown, steps: number): Presence {
  const [name = '', ...rest] = path;
  const below = (part: unknown): Presence => at(part, rest, root, steps - 1);
  if (name === '*') return itemPresence(schema['items'], below);
  const { properties, required } = schema;
  if (isNode(properties) && Object.hasOwn(properties, name)) {
    const found = below(properties[name]);
    return list(required).includes(name) ? found : weaken(found);
  }
  const patterns = Object.entries(isNode(schema['patternProperties']) ? schema['patternProperties'] : {});
  const pattern = patterns.find(([expression]) => new RegExp(expression, 'u').test(name));
  if (pattern !== undefined) return weaken(below(pattern[1]));
  if (isNode(schema['additionalProperties'])) return weaken(below(schema['additionalProperties']));
  return saysNothing(schema) ? 'sometimes' : 'never';
}

function itemPresence(items: unknown, below: (part: unknown) => Presence): Presence {
  if (items === undefined || items === true) return 'sometimes';
  return Array.isArray(items) ? every(items.map(below)) : below(items);
}

/** An object (or anything) that may hold whatever it likes. */
function saysNothing(schema: Node): boolean {
  const type = schema['type'];
  const says = ['properties', 'patternProperties', 'additionalProperties', 'allOf', 'anyOf', 'oneOf', 'then'];
  const constant = 'const' in schema || 'enum' in schema;
  return (type === undefined || type === 'object') && !constant && !says.some((keyword) => keyword in schema);
}

function every(found: readonly Presence[]): Presence {
  if (found.length === 0 || found.every((one) => one === 'never')) return 'never';
  return found.every((one) => one === 'always') ? 'always' : 'sometimes';
}

function target(root: unknown, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return true;
  const names = decodeURIComponent(reference).split('/').slice(1);
  return names
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, name) => (isNode(value) ? value[name] : undefined), root);
}

const stronger = (a: Presence, b: Presence): Presence => (STRENGTH[a] >= STRENGTH[b] ? a : b);
const weaken = (found: Presence): Presence => (found === 'never' ? 'never' : 'sometimes');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
