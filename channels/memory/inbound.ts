import type { Accept, Arrival, InboundChannel, Receipt } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';

/** An inbound channel whose sender is the test: what it delivers arrives, in the order of the calls. */
export class ScriptedSource implements InboundChannel {
  readonly name: ChannelName;
  readonly #underWay = new Set<Promise<Receipt>>();
  #accept: Accept | null = null;

  constructor(name: string) {
    this.name = name as ChannelName;
  }

  async start(accept: Accept): Promise<void> {
    this.#accept = accept;
  }

  async stop(): Promise<void> {
    this.#accept = null;
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Lets one message arrive and resolves with what its sender is told. Text and bytes are the body as they are,
   * anything else becomes JSON. Rejects when the engine kept nothing, or the channel is not started.
   */
  async deliver(body: unknown, headers: Arrival['headers'] = {}): Promise<Receipt> {
    if (this.#accept === null) {
      throw new BridgeError('not-allowed', `${this.name} is not started`, { at: this.name });
    }
    const receipt = this.#accept({ body: bytesOf(body), headers });
    this.#underWay.add(receipt);
    try {
      return await receipt;
    } finally {
      this.#underWay.delete(receipt);
    }
  }
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
