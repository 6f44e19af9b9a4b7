import { createHash } from 'node:crypto';
import type { Timeline } from './timeline.ts';

/** Everything observable in a history, line by line: two runs of one seed are the same to the last byte. */
export class Trace {
  readonly lines: string[] = [];
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  add(who: string, what: string): void {
    this.lines.push(`${this.#timeline.now} ${who} ${what}`);
  }

  hash(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex');
  }
}
