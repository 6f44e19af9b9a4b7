import type { Answer, ChannelContext, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import type { OutboundParts } from './outbound.ts';
import { Send } from './outbound.ts';

const PLACE = 'dawy-out';
const TRAVEL_MS = [0, 4] as const;
const CONNECT_MS = [0, 30] as const;

const CONFIRMED: Answer = {
  signals: ['confirmed'],
  otherwise: null,
  retryAfterMs: null,
  summary: 'the broker confirmed it',
  body: new Uint8Array(),
};

/** Publishes events, and believes only what was confirmed and not returned. */
export class SimExchange implements OutboundChannel {
  readonly name: ChannelName;
  readonly #context: ChannelContext;
  readonly #parts: OutboundParts;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(name: ChannelName, context: ChannelContext, parts: OutboundParts) {
    this.name = name;
    this.#context = context;
    this.#parts = parts;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  send(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const sent = this.#publish(parcel, signal);
    this.#underWay.add(sent);
    return sent.finally(() => this.#underWay.delete(sent));
  }

  async #publish(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const { process, weather, timeline, dice, dawy, trace, watch, sender } = this.#parts;
    this.#parts.onSend();
    if (weather.strikes('exchange away', PLACE)) {
      await process.pause(dice.between(CONNECT_MS));
      throw new BridgeError('connection-failed', `${this.name} is not connected to its broker`);
    }
    if (signal.aborted)
      throw new BridgeError('connection-failed', 'its time was over before it was published');
    if (!this.#context.maySend()) throw new BridgeError('send-prevented', `${this.name} was not sent to`);
    const over = watch.sends(sender, this.name, parcel, false);
    trace.add(process.name, `publishes ${parcel.type} ${parcel.key}`);
    const send = new Send(process, signal, 'confirm-missing', over);
    timeline.after(dice.between(TRAVEL_MS), () => {
      if (weather.strikes('publication lost', PLACE)) return;
      if (weather.strikes('publication returned', PLACE))
        return answer(new BridgeError('unroutable', 'no queue is bound'));
      if (weather.strikes('publication refused', PLACE))
        return answer(new BridgeError('busy', 'a queue did not take it'));
      dawy.hears(parcel.body);
      if (weather.strikes('event twice', PLACE)) dawy.hears(parcel.body);
      if (!weather.strikes('confirm lost', PLACE)) answer(CONFIRMED);
    });
    const answer = (what: Answer | BridgeError) => send.answer(dice.between(TRAVEL_MS), what);
    return send.answered;
  }
}
