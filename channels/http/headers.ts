import { BridgeError } from '../../engine/errors.ts';

/** Headers of requests, by name. */
export type Headers = Readonly<Record<string, string>>;

/** The option `headers`, as every kind over HTTP has it. */
export const headersOption = {
  type: 'object',
  description: `Headers sent with every request, such as a token. Secrets come as \${env:NAME} or \${file:…}.`,
  additionalProperties: { type: 'string', pattern: '^[\\t\\x20-\\x7e]*$' },
  propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" },
  default: {},
  examples: [{ Authorization: `Bearer \${env:ALNOOR_TOKEN}` }],
};

// They say how the request is framed, which is ours to say, or would be sent on without us knowing what it does.
const RESERVED = new Set(
  'connection content-length expect host keep-alive te trailer transfer-encoding upgrade'.split(' '),
);

/** Merges headers, a later one over an earlier of the same name, whatever its case. */
export function merged(...layers: readonly Headers[]): Headers {
  const byName = new Map<string, [name: string, value: string]>();
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) {
    byName.set(name.toLowerCase(), [name, value]);
  }
  return Object.fromEntries(byName.values());
}

/** Throws `config-invalid` when routes.yaml sets a header that is not its to set. */
export function checkHeaders(channel: string, names: readonly string[]): void {
  const reserved = names.find((name) => RESERVED.has(name.toLowerCase()));
  if (reserved === undefined) return;
  throw new BridgeError('config-invalid', `${channel} cannot set the header ${reserved}`, { at: channel });
}
