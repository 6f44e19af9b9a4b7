import { type Logger, pino } from 'pino';
import type { EngineEvent, Telemetry } from '../telemetry.ts';
import { describe } from './describe.ts';

/** Writes each event as one line of JSON: time, level, sentence, and the event's own fields. */
export class Log implements Telemetry {
  readonly #logger: Logger;

  /** `level` is the least that is written. Lines go to `write` as they come. */
  constructor(level: 'error' | 'warn' | 'info' | 'debug', write: (line: string) => void) {
    this.#logger = pino(
      {
        level,
        messageKey: 'message',
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write },
    );
  }

  emit(event: EngineEvent): void {
    const { level, text } = describe(event);
    const { kind, ...fields } = event;
    this.#logger[level]({ event: kind, ...fields }, text);
  }
}

/**
 * Writes the lines of one turn of the event loop at once: under load that is one call of the system instead of
 * hundreds. What is waiting when the process ends by itself is written then.
 */
export function linesTo(stream: { readonly write: (text: string) => unknown }): (line: string) => void {
  let waiting = '';
  const flush = () => {
    const text = waiting;
    waiting = '';
    if (text !== '') stream.write(text);
  };
  process.on('exit', flush);
  return (line) => {
    if (waiting === '') setImmediate(flush);
    waiting += line;
  };
}

/** Says every event to each of several. */
export function toAll(...telemetries: readonly Telemetry[]): Telemetry {
  return {
    emit(event) {
      for (const telemetry of telemetries) telemetry.emit(event);
    },
  };
}
