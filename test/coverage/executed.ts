import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where something is in a file, in UTF-16 code units. */
export interface Position {
  readonly path: string;
  readonly at: number;
}

/** The part of V8's report that is read here. */
interface Report {
  readonly result: readonly Script[];
}

interface Script {
  readonly url: string;
  readonly functions: readonly {
    /** Without it the ranges inside the function are not known. */
    readonly isBlockCoverage: boolean;
    readonly ranges: readonly Range[];
  }[];
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/**
 * Those of the positions that were executed in at least one of the processes that left a report in the folder.
 * What V8 cannot tell counts as not executed.
 */
export function executed<P extends Position>(positions: readonly P[], folder: string): ReadonlySet<P> {
  const byUrl = new Map<string, Set<P>>();
  for (const position of positions) {
    const url = pathToFileURL(position.path).href;
    byUrl.set(url, (byUrl.get(url) ?? new Set()).add(position));
  }
  const found = new Set<P>();
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.json'))) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report;
    for (const script of result) {
      for (const position of byUrl.get(script.url) ?? []) {
        if (found.has(position) || !isExecuted(script, position.at)) continue;
        found.add(position);
      }
    }
  }
  return found;
}

function isExecuted({ functions }: Script, at: number): boolean {
  let innermost: Range | null = null;
  let isKnown = false;
  for (const { ranges, isBlockCoverage } of functions) {
    for (const range of ranges) {
      if (range.startOffset > at || range.endOffset <= at) continue;
      if (innermost !== null && width(range) > width(innermost)) continue;
      innermost = range;
      isKnown = isBlockCoverage;
    }
  }
  return isKnown && innermost !== null && innermost.count > 0;
}

function width({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
