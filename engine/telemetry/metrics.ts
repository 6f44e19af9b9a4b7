import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineEvent, Telemetry } from '../telemetry.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Counts what the engine says of itself. Labels are names of the configuration and words of ours, never an id. */
export class Metrics implements Telemetry {
  readonly #registry = new Registry();
  readonly #kept = this.#counter('messages_received_total', 'Messages kept', ['channel', 'type']);
  readonly #duplicates = this.#counter('duplicates_total', 'Repeats of arrivals, answered as the first', [
    'channel',
  ]);
  readonly #refused = this.#counter('messages_refused_total', 'Arrivals refused', ['channel', 'error']);
  readonly #settled = this.#counter(
    'deliveries_total',
    'Attempts settled, by where the delivery stands after',
    ['route', 'channel', 'state', 'error'],
  );
  readonly #fenced = this.#counter(
    'deliveries_fenced_total',
    "Results dropped because the delivery was another's",
    ['channel'],
  );
  readonly #moves = this.#counter('booking_transitions_total', 'Steps of bookings', [
    'hospital',
    'from',
    'to',
  ]);
  readonly #tookOver = this.#counter('deliveries_taken_over_total', 'Deliveries of lost instances', [
    'ambiguous',
  ]);
  readonly #orphans = this.#counter(
    'orphans_released_total',
    'Deliveries owned and not held; 0 without faults',
    [],
  );
  readonly #retried = this.#counter('batches_retried_total', 'Batches that ran once more', ['what']);
  readonly #unknown = this.#counter('commits_unknown_total', 'COMMITs whose reply was lost', [
    'what',
    'found',
  ]);
  readonly #defects = this.#counter('defects_total', 'Things that must not happen', []);
  readonly #ledger = this.#counter(
    'ledger_differences_total',
    'Messages without every promised delivery; must stay 0',
    [],
  );
  readonly #open = this.#gauge('circuit_open', 'Whether the breaker of a channel is not closed', ['channel']);
  readonly #storeUp = this.#gauge('store_up', 'Whether the store answers', []);
  readonly #keeping = this.#histogram('keep_duration_seconds', 'From arrival to kept', ['channel']);
  readonly #sending = this.#histogram('delivery_duration_seconds', 'One attempt, from start to settled', [
    'channel',
  ]);

  #storeAnswers = true;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#storeUp.set(1);
  }

  /** The exposition text, for Prometheus to scrape. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Whether the store answered when it was last asked. */
  get storeIsUp(): boolean {
    return this.#storeAnswers;
  }

  emit(event: EngineEvent): void {
    switch (event.kind) {
      case 'message-kept':
        this.#kept.inc({ channel: event.channel, type: event.type });
        this.#keeping.observe({ channel: event.channel }, event.tookMs / 1_000);
        break;
      case 'message-duplicate':
        this.#duplicates.inc({ channel: event.channel });
        break;
      case 'message-refused':
        this.#refused.inc({ channel: event.channel, error: event.error });
        break;
      case 'delivery-settled':
        this.#settled.inc({
          route: event.route,
          channel: event.channel,
          state: event.state,
          error: event.error ?? '',
        });
        this.#sending.observe({ channel: event.channel }, event.tookMs / 1_000);
        break;
      case 'settle-fenced':
        this.#fenced.inc({ channel: event.channel });
        break;
      case 'booking-moved':
        this.#moves.inc({ hospital: event.hospital, from: event.from ?? '', to: event.to });
        break;
      case 'breaker-moved':
        this.#open.set({ channel: event.channel }, event.to === 'closed' ? 0 : 1);
        break;
      case 'instance-took-over':
        this.#tookOver.inc({ ambiguous: 'yes' }, event.ambiguous);
        this.#tookOver.inc({ ambiguous: 'no' }, event.queued - event.ambiguous);
        break;
      case 'orphans-released':
        this.#orphans.inc(event.count);
        break;
      case 'batch-retried':
        this.#retried.inc({ what: event.what });
        break;
      case 'commit-unknown':
        this.#unknown.inc({ what: event.what, found: String(event.found) });
        break;
      case 'store-lost':
        this.#storeAnswers = false;
        this.#storeUp.set(0);
        break;
      case 'store-back':
        this.#storeAnswers = true;
        this.#storeUp.set(1);
        break;
      case 'ledger-differs':
        this.#ledger.inc(event.messages.length);
        break;
      case 'defect':
        this.#defects.inc();
        break;
      case 'plan-activated':
      case 'plan-refused':
      case 'channel-opened':
      case 'channel-closed':
      case 'instance-joined':
      case 'instance-left':
      case 'instance-fenced':
        break;
    }
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `hisbridge_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name: `hisbridge_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> {
    return new Histogram({
      name: `hisbridge_${name}`,
      help,
      labelNames,
      buckets: SECONDS,
      registers: [this.#registry],
    });
  }
}
