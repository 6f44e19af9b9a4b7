import { bodyDigest } from '../../engine/lane.ts';
import type { DawyEvent, Published } from '../crash/evidence.ts';
import type { Broker } from './broker.ts';
import type { Trace } from './trace.ts';

/** One thing Dawy puts into the queue. */
export interface Publication {
  readonly id: string;
  readonly body: Uint8Array;
  /** What it asks for; null when it asks for nothing that could be done. */
  readonly asks: Omit<Published, 'order' | 'messageId'> | null;
}

/** Dawy: remembers what it published, and everything it hears. */
export class Dawy {
  readonly events: DawyEvent[] = [];
  readonly published: (Publication & { readonly order: number; readonly digest: Buffer })[] = [];
  readonly #broker: Broker;
  readonly #trace: Trace;

  constructor(broker: Broker, trace: Trace) {
    this.#broker = broker;
    this.#trace = trace;
  }

  publish(publication: Publication): void {
    this.#trace.add('dawy', `publishes ${publication.id}`);
    const order = this.#broker.publish(publication.id, publication.body);
    this.published.push({ ...publication, order, digest: bodyDigest(publication.body) });
  }

  hears(body: Uint8Array): void {
    const event = JSON.parse(Buffer.from(body).toString('utf8')) as DawyEvent;
    this.#trace.add('dawy', `hears ${event.type} ${event.subject} ${event.id}`);
    this.events.push(event);
  }
}
