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

// They say how the request is framed, or who it is for: ours to say.
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

/** Sent unless routes.yaml says otherwise. We read no compression; without a word a server may choose one. */
export const USUAL_HEADERS: Headers = { 'User-Agent': 'hisbridge', 'Accept-Encoding': 'identity' };

const VALUE = /^[\t\x20-\x7e]*$/;

/** Throws `config-invalid` for a header that routes.yaml cannot set, or cannot set to this: secrets may end with a line break. */
export function checkHeaders(channel: string, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    const problem = RESERVED.has(name.toLowerCase())
      ? 'is not its to set'
      : VALUE.test(value)
        ? null
        : 'has a value that no header can carry';
    if (problem === null) continue;
    throw new BridgeError('config-invalid', `the header ${name} of ${channel} ${problem}`, { at: channel });
  }
}
