import { nearest } from '../forms/handlebars/names.ts';

/** "Did you mean …?", or the choices when there are few, or undefined. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  const near = onlyNear(word, names);
  if (near !== undefined || names.length === 0 || names.length > 12) return near;
  return names.length === 1 ? `Write ${names[0]} instead.` : `Write one of ${names.join(', ')} instead.`;
}

/** "Did you mean …?" when something is near, or undefined. */
export function onlyNear(word: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(word, [...candidates]);
  return near === null ? undefined : `Did you mean ${near}?`;
}
