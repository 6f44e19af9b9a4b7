import type { EngineEvent } from '../telemetry.ts';

/** How an event is said to people: its level and one sentence. Ids and names only, never a value of a message. */
export interface Line {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly text: string;
}

/**
 * The one table from events to lines. `error`: a person must act or data is at risk; `warn`: unexpected and
 * recovered; `info`: the life of the process and one line per settled delivery; `debug`: everything else.
 */
export function describe(event: EngineEvent): Line {
  switch (event.kind) {
    case 'message-kept':
      return { level: 'debug', text: `kept ${event.type}${ofBooking(event.booking)} from ${event.channel}` };
    case 'message-duplicate':
      return { level: 'debug', text: `${event.channel} brought a repeat` };
    case 'message-refused':
      return { level: 'info', text: `refused ${event.type} from ${event.channel}: ${event.error}` };
    case 'delivery-settled':
      return settled(event);
    case 'settle-fenced':
      return {
        level: 'warn',
        text: `${event.channel}: a delivery was no longer this instance's; nothing was changed`,
      };
    case 'booking-moved':
      return { level: 'debug', text: `booking ${event.booking}: ${event.from ?? 'new'} to ${event.to}` };
    case 'breaker-moved':
      return {
        level: event.to === 'closed' ? 'info' : 'warn',
        text: `${event.channel}: breaker ${event.to}${because(event.reason)}`,
      };
    case 'channel-opened':
    case 'channel-closed':
      return { level: 'info', text: `${event.channel} ${event.kind.slice(8)}: ${event.detail}` };
    case 'instance-joined':
    case 'instance-left':
      return { level: 'info', text: `instance ${event.instance} ${event.kind.slice(9)}` };
    case 'instance-fenced':
      return { level: 'warn', text: `instance ${event.instance} was declared lost; joining anew` };
    case 'instance-took-over':
      return {
        level: 'warn',
        text: `took over ${event.queued} deliveries of a lost instance, ${event.ambiguous} of them perhaps sent`,
      };
    case 'orphans-released':
      return { level: 'warn', text: `gave back ${event.count} deliveries that memory did not hold` };
    case 'batch-retried':
      return { level: 'warn', text: `${event.what}: the batch ran once more (${event.reason})` };
    case 'commit-unknown':
      return {
        level: 'warn',
        text: `${event.what}: the reply to COMMIT was lost; the batch was ${event.found ? 'there' : 'not there'}`,
      };
    case 'store-lost':
      return { level: 'error', text: `the store is away: ${event.detail}` };
    case 'store-back':
      return { level: 'info', text: 'the store is back' };
    case 'plan-activated':
      return {
        level: 'info',
        text: `plan ${event.hash.slice(0, 12)} with ${event.routes} routes is in force`,
      };
    case 'plan-refused':
      return {
        level: 'error',
        text: `the changed configuration has problems; the plan before stays:\n${event.problems.join('\n')}`,
      };
    case 'ledger-differs':
      return {
        level: 'error',
        text: `${event.messages.length} messages do not have every delivery that was promised`,
      };
    case 'defect':
      return { level: 'error', text: `defect in ${event.where}: ${event.detail}` };
  }
}

function settled(event: Extract<EngineEvent, { kind: 'delivery-settled' }>): Line {
  const { type, booking, channel, state, tries, error } = event;
  const stopped = state === 'held' || state === 'dead';
  return {
    level: stopped ? 'error' : error === null ? 'info' : 'warn',
    text: `${type}${ofBooking(booking)} to ${channel}: ${state} at try ${tries}${because(error)}`,
  };
}

function ofBooking(booking: string | null): string {
  return booking === null ? '' : ` of ${booking}`;
}

function because(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}
