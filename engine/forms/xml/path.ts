import type { Path } from '../form.ts';

/** An element as it is read: text, or its children by local name, its attributes by `@name` and its text. */
export type XmlValue = string | XmlElement;
export interface XmlElement {
  readonly [name: string]: XmlValue | readonly XmlValue[];
}

/** Where the text of an element stands that has attributes or children too. */
export const TEXT = '#text';

const PART = /^(?:\*|@?[\p{L}_][\p{L}\p{N}\p{M}_.-]*)$/u;

/**
 * Compiles a path into XML: local names from the root's children on, `*` for any one element, `@name` for an
 * attribute at the end. Of several elements it finds the first, in document order, that has the rest of the path.
 */
export function compileXmlPath(path: string): Path | { readonly problem: string } {
  const parts = path.split('/');
  const wrong = parts.findIndex(
    (part, i) => !PART.test(part) || (part.startsWith('@') && i < parts.length - 1),
  );
  if (wrong >= 0) return { problem: problemOf(path, parts[wrong] ?? '') };
  return (body) => textOf(find(body, parts));
}

function problemOf(path: string, part: string): string {
  if (path.startsWith('/')) return `a path into XML starts with a name, without a slash: ${path.slice(1)}`;
  if (part.includes(':')) {
    return `a path into XML has names without prefix: ${part.slice(part.indexOf(':') + 1)}`;
  }
  if (part.startsWith('@') && PART.test(part)) return `${part} is an attribute: it can only end a path`;
  return 'a path into XML is made of element names and slashes: Body/BookResponse/Status';
}

function find(value: unknown, parts: readonly string[]): unknown {
  const [part, ...rest] = parts;
  if (part === undefined) return value;
  for (const child of children(value, part)) {
    const found = find(child, rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

function children(value: unknown, part: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (part === '*') {
    return Object.entries(value).flatMap(([name, child]) => (isElementName(name) ? child : []));
  }
  return Object.hasOwn(value, part) ? [(value as XmlElement)[part]].flat() : [];
}

const isElementName = (name: string): boolean => name !== TEXT && !name.startsWith('@');

function textOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).some(isElementName)) return value;
  return (value as XmlElement)[TEXT];
}
