import type { At, YamlFile } from './positions.ts';
import type { Problems } from './problems.ts';

/** Where secrets come from: the environment, and files. */
export interface Secrets {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read: (path: string) => string | null;
}

const REFERENCE = /\$\{([^}]*)\}/g;
const KNOWN = /^(env|file):(.+)$/;

/**
 * `value` with every `${env:NAME}` and `${file:path}` in its texts replaced. A reference that gives nothing is a
 * problem and its text becomes `undefined`; problems name the reference, never what it stands for.
 */
export function withSecrets(
  value: unknown,
  secrets: Secrets,
  yaml: YamlFile,
  problems: Problems,
  at: At,
): unknown {
  if (typeof value === 'string') return resolveText(value, secrets, yaml, problems, at);
  if (Array.isArray(value)) {
    return value.map((item, index) => withSecrets(item, secrets, yaml, problems, [...at, index]));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, child]) => [
    key,
    withSecrets(child, secrets, yaml, problems, [...at, key]),
  ]);
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined));
}

/** Whether a text holds a reference to a secret. */
export function hasReference(text: string): boolean {
  return text.search(REFERENCE) >= 0;
}

function resolveText(
  text: string,
  secrets: Secrets,
  yaml: YamlFile,
  problems: Problems,
  at: At,
): string | undefined {
  const report = (message: string, instead: string) => {
    problems.add({ file: yaml.file, ...yaml.valueAt(at), message, instead, severity: 'error' });
  };
  let complete = true;
  const resolved = text.replace(REFERENCE, (_whole, inside: string) => {
    const found = PLACES.includes(String(at[0])) ? lookUp(inside, secrets) : OUT_OF_PLACE;
    if (found.kind === 'value') return found.value;
    complete = false;
    report(found.message, found.instead);
    return '';
  });
  return complete ? resolved : undefined;
}

// What a route says ends up in editions, which are kept and shown.
const PLACES = ['systems', 'channels'];
const OUT_OF_PLACE: Found = {
  kind: 'nothing',
  message: 'a secret cannot stand in a route: what a route sends is kept',
  instead: 'Put it into an option of the channel.',
};

type Found =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'nothing'; readonly message: string; readonly instead: string };

function lookUp(inside: string, { env, read }: Secrets): Found {
  const [, kind, name = ''] = KNOWN.exec(inside) ?? [];
  if (kind === undefined) {
    const message = `\${${inside}} is no reference to a secret`;
    return { kind: 'nothing', message, instead: `\${env:${/^\w+$/.test(inside) ? inside : 'NAME'}}` };
  }
  if (kind === 'env') {
    const value = env[name];
    if (value !== undefined && value !== '') return { kind: 'value', value };
    const message = `the environment variable ${name} is not set`;
    return { kind: 'nothing', message, instead: `Set ${name} before starting, or correct the name.` };
  }
  const text = read(name);
  if (text !== null) return { kind: 'value', value: text.replace(/\r?\n$/, '') };
  return {
    kind: 'nothing',
    message: `the file ${name} is not there`,
    instead: 'Create it, or correct the path.',
  };
}
