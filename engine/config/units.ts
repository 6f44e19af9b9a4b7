/** Durations and sizes of routes.yaml: a number and its unit, nothing else. */
const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1_024, MB: 1_048_576 };

export const DURATION_PATTERN = '^\\d{1,9}(ms|s|m|h|d)$';
export const SIZE_PATTERN = '^\\d{1,9}(B|KB|MB)$';

/** The milliseconds of `500ms`, `10s`, `5m`, `24h`, `7d`; null for anything else. */
export function parseDuration(text: string): number | null {
  return inUnits(text, new RegExp(DURATION_PATTERN), MILLISECONDS);
}

/** The bytes of `200B`, `64KB`, `1MB`; null for anything else. */
export function parseSize(text: string): number | null {
  return inUnits(text, new RegExp(SIZE_PATTERN), BYTES);
}

function inUnits(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | null {
  const unit = units[pattern.exec(text)?.[1] ?? ''];
  return unit === undefined ? null : Number.parseInt(text, 10) * unit;
}
