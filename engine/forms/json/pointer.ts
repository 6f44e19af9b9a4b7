import type { Path } from '../form.ts';

const INDEX = /^(?:0|[1-9][0-9]*)$/;

/** Compiles a JSON Pointer (RFC 6901). It sees own properties only. */
export function compilePointer(pointer: string): Path | { readonly problem: string } {
  if (pointer !== '' && !pointer.startsWith('/')) {
    return { problem: `a path into JSON starts with a slash: /${pointer.replaceAll('.', '/')}` };
  }
  if (/~(?![01])/.test(pointer)) {
    return { problem: 'in a path into JSON a tilde is written ~0 (and a slash in a name ~1)' };
  }
  const parts = pointer.split('/').slice(1);
  const names = parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (body) => names.reduce(step, body);
}

function step(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return INDEX.test(name) ? value[Number(name)] : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
