import { harmlessInLine } from '../../cli/payload.ts';
import type { Log } from '../servers/server.ts';
import type { Ready } from './part.ts';

/** An event of the engine as it stands in its log: the fields of `EngineEvent`, its kind as `event`. */
export type LoggedEvent = Ready;

/** More lines than this in a second are counted instead: somebody is measuring, not reading. */
const LINES_PER_SECOND = 100;

/** Prints what the engine does with each booking, and lets others wait for it. */
export class Trail {
  readonly #print: Log;
  readonly #waiting = new Set<(event: LoggedEvent) => void>();
  #second = 0;
  #printed = 0;
  #unsaid = 0;

  constructor(print: Log) {
    this.#print = print;
  }

  /** Takes the next event of the engine. */
  take(event: LoggedEvent): void {
    for (const look of this.#waiting) look(event);
    for (const line of linesOf(event)) this.#say(line);
  }

  /** Resolves with true once an event comes for which `holds`, or with false after `waitMs`. */
  until(holds: (event: LoggedEvent) => boolean, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (found: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const look = (event: LoggedEvent) => {
        if (holds(event)) end(true);
      };
      const timer = setTimeout(() => end(false), waitMs);
      this.#waiting.add(look);
    });
  }

  #say(line: string): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      if (this.#unsaid > 0) this.#print(`  … and ${this.#unsaid} more lines`);
      this.#second = second;
      this.#printed = 0;
      this.#unsaid = 0;
    }
    if (this.#printed < LINES_PER_SECOND) this.#print(line);
    else this.#unsaid += 1;
    this.#printed += 1;
  }
}

/** How an event reads on the terminal: no line, one, or those of the problems of a plan. Nothing in them is obeyed by it. */
export function linesOf(event: LoggedEvent): readonly string[] {
  return wordsOf(event).map(harmlessInLine);
}

function wordsOf(event: LoggedEvent): readonly string[] {
  switch (event['event']) {
    case 'message-kept':
      return event['booking'] === null ? [] : [line(event, kept(event))];
    case 'message-duplicate':
      return [line(event, `${event['channel']} brought a repeat: answered as the first, nothing done twice`)];
    case 'message-refused':
      return [line(event, `${event['type']} refused: ${event['error']}${detailOf(event)}`)];
    case 'delivery-settled':
      return [line(event, settled(event))];
    case 'booking-moved':
      return [line(event, `booking ${event['from'] ?? 'new'} → ${event['to']} (${event['said']})`)];
    case 'plan-refused':
      return ['The configuration has problems. The engine goes on with the plan it has:', ...problems(event)];
    case 'plan-activated':
      return [
        `  plan ${`${event['hash']}`.slice(0, 12)} with ${event['routes']} routes holds from the next message on`,
      ];
    default:
      return notable(event);
  }
}

function kept(event: LoggedEvent): string {
  const deliveries = Number(event['deliveries']);
  const onwards =
    deliveries === 0 ? 'nobody to tell' : deliveries === 1 ? '1 delivery' : `${deliveries} deliveries`;
  return `${event['type']} kept, from ${event['channel']}: ${onwards}`;
}

function settled(event: LoggedEvent): string {
  const tries = Number(event['tries']);
  const how = [
    tries > 1 ? `try ${tries}` : null,
    `${Math.round(Number(event['tookMs']))} ms`,
    event['error'] ?? null,
  ];
  return `${event['type']} to ${event['channel']}: ${event['state']} (${how.filter((word) => word !== null).join(', ')})`;
}

function detailOf(event: LoggedEvent): string {
  return event['detail'] ? `, ${event['detail']}` : '';
}

function problems(event: LoggedEvent): readonly string[] {
  const list = event['problems'];
  return Array.isArray(list) ? list.flatMap((problem) => `  ${problem}`.split('\n')) : [];
}

function notable(event: LoggedEvent): readonly string[] {
  const matters = event['level'] === 'warn' || event['level'] === 'error';
  return matters ? [line(event, `${event['message'] ?? event['event']}`)] : [];
}

function line(event: LoggedEvent, text: string): string {
  const time = typeof event['time'] === 'string' ? event['time'].slice(11, 19) : '';
  const about = event['booking'] ?? event['hospital'] ?? '';
  return `  ${time}  ${harmlessInLine(`${about}`).padEnd(14)} ${text}`;
}
