import type { Answer, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';

/** What a scripted far side does with one parcel: answers, fails, or works the answer out. */
export type Step = Answer | Error | ((parcel: Parcel, signal: AbortSignal) => Answer | Promise<Answer>);

/** One step for each parcel in the order of sending, after which every parcel is taken; or what decides the step. */
export type Script = readonly Step[] | ((parcel: Parcel) => Step);

/** An answer of a scripted far side: `taken` unless the test says otherwise. */
export function anAnswer(overrides: Partial<Answer> = {}): Answer {
  return {
    signals: ['taken'],
    otherwise: null,
    retryAfterMs: null,
    summary: 'the far side answered',
    body: new Uint8Array(),
    ...overrides,
  };
}

/** An outbound channel whose far side is a script. Keeps what was sent, and how many at once. For tests. */
export class ScriptedDestination implements OutboundChannel {
  readonly name: ChannelName;
  readonly #decide: (parcel: Parcel) => Step;
  readonly #sent: Parcel[] = [];
  readonly #underWay = new Set<Promise<Answer>>();
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  #started: boolean;
  #mostAtOnce = 0;
  #hold = Promise.withResolvers<void>();

  /** It is started unless `started` says otherwise, so that a dispatcher can be tested without a bridge. */
  constructor(name: string, script: Script = [], { started = true } = {}) {
    this.name = name as ChannelName;
    this.#decide = typeof script === 'function' ? script : inTurn(script);
    this.#started = started;
    this.#hold.resolve();
  }

  /** Everything that left, in order, whatever came of it; a step that fails as unavailable lets nothing leave. */
  get sent(): readonly Parcel[] {
    return this.#sent;
  }

  /** How many were without an answer at the same time, at most. */
  get mostAtOnce(): number {
    return this.#mostAtOnce;
  }

  /** Resolves once `count` parcels have left. */
  arrived(count: number): Promise<void> {
    if (this.#sent.length >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    return promise;
  }

  /** Takes parcels but answers none until `release`. */
  hold(): void {
    this.#hold = Promise.withResolvers<void>();
  }

  release(): void {
    this.#hold.resolve();
  }

  async start(): Promise<void> {
    this.#started = true;
  }

  async stop(): Promise<void> {
    this.#started = false;
    await Promise.allSettled(this.#underWay);
  }

  async send(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    if (!this.#started || signal.aborted) {
      throw new BridgeError('connection-failed', `${this.name} is not started, or out of time`, {
        at: this.name,
      });
    }
    const step = this.#decide(parcel);
    if (step instanceof BridgeError && step.fault === 'unavailable') throw step;
    this.#left(parcel);
    const answer = this.#play(step, parcel, signal);
    this.#underWay.add(answer);
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#underWay.size);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  #left(parcel: Parcel): void {
    this.#sent.push(parcel);
    for (const { count, resolve } of this.#waiting) {
      if (this.#sent.length >= count) resolve();
    }
  }

  async #play(step: Step, parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const over = ended(signal, this.name);
    await Promise.race([this.#hold.promise, over]);
    if (step instanceof Error) throw step;
    if (typeof step !== 'function') return step;
    return Promise.race([step(parcel, signal), over]);
  }
}

function inTurn(script: readonly Step[]): () => Step {
  const steps = script.values();
  return () => steps.next().value ?? anAnswer();
}

/** Rejects as ambiguous once the signal aborts: by then the parcel has left. */
function ended(signal: AbortSignal, name: string): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(new BridgeError('answer-timeout', `${name} got no answer in time`, { at: name }));
  if (signal.aborted) give();
  else signal.addEventListener('abort', give, { once: true });
  return promise;
}
