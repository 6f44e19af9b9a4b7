import { anAnswer, ScriptedDestination, type Step } from '../../../channels/memory/outbound.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { FarSide } from '../../support/outbound-conformance.ts';

type Manner = Parameters<FarSide['behave']>[0];

/** The far side of the conformance suite for the kind `memory`: the script of its destination. */
export class ScriptedFarSide implements FarSide {
  readonly destination = new ScriptedDestination('memory-out', () => this.#step(), { started: false });
  readonly #gate = Promise.withResolvers<void>();
  #manner: Manner | 'away' = 'takes';

  behave(manner: Manner): void {
    this.#manner = manner;
  }

  release(): void {
    this.#gate.resolve();
  }

  received(): readonly Uint8Array[] {
    return this.destination.sent.map(({ body }) => body);
  }

  arrived(count: number): Promise<void> {
    return this.destination.arrived(count);
  }

  async goAway(): Promise<void> {
    this.#manner = 'away';
  }

  async close(): Promise<void> {
    this.#gate.resolve();
  }

  #step(): Step {
    switch (this.#manner) {
      case 'takes':
        return ({ body }) => anAnswer({ body });
      case 'refuses':
        return anAnswer({ signals: ['wrong'], otherwise: 'request-refused' });
      case 'waits':
        return ({ body }) => this.#gate.promise.then(() => anAnswer({ body }));
      case 'silent':
        return () => Promise.withResolvers<never>().promise;
      case 'breaks-off':
        return new BridgeError('connection-reset', 'the script breaks off');
      case 'away':
        return new BridgeError('connection-failed', 'the script is away');
    }
  }
}
