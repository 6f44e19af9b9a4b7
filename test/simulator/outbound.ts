import type { Answer, ChannelContext, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import type { Dawy } from './dawy.ts';
import type { Dice } from './dice.ts';
import type { SimHospital } from './hospital.ts';
import { DEADLINE_MS } from './plans.ts';
import type { SimProcess } from './process.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import type { Sender, Watch } from './watch.ts';
import type { Weather } from './weather.ts';

export interface OutboundParts {
  readonly process: SimProcess;
  readonly sender: Sender;
  readonly timeline: Timeline;
  readonly weather: Weather;
  readonly dice: Dice;
  readonly watch: Watch;
  readonly trace: Trace;
  readonly dawy: Dawy;
  readonly hospital: (channel: ChannelName) => SimHospital;
  /** Called when a send begins. */
  readonly onSend: () => void;
}

const CONNECT_MS = [0, 8] as const;
const SLOWLY_MS = [DEADLINE_MS / 2, DEADLINE_MS + 500] as const;
const TRAVEL_MS = [0, 5] as const;

/** One send whose bytes have left: answered once, or ambiguous when its time is over. */
export class Send {
  readonly answered: Promise<Answer>;
  readonly #process: SimProcess;
  readonly #settle: {
    readonly resolve: (answer: Answer) => void;
    readonly reject: (error: BridgeError) => void;
  };
  readonly #end: () => void;
  #over = false;

  /** `otherwise` is thrown when the signal aborts first; `end` is called when the sender knows. */
  constructor(process: SimProcess, signal: AbortSignal, otherwise: ErrorCode, end: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.answered = promise;
    this.#process = process;
    this.#settle = { resolve, reject };
    const abort = () => this.#know(() => reject(new BridgeError(otherwise, 'no answer in time')));
    this.#end = () => {
      signal.removeEventListener('abort', abort);
      end();
    };
    signal.addEventListener('abort', abort, { once: true });
    // A dead sender has nothing under way any more.
    process.onEnd(end);
  }

  /** The far side's word is heard a while later; `then` is called when it was, and still made a difference. */
  answer(afterMs: number, what: Answer | BridgeError, then: () => void = () => undefined): void {
    this.#process.after(afterMs, () =>
      this.#know(() => {
        then();
        if (what instanceof BridgeError) this.#settle.reject(what);
        else this.#settle.resolve(what);
      }),
    );
  }

  #know(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#end();
    settle();
  }
}

/** Sends to a hospital as HTTP would: `unavailable` until the first byte has left, `ambiguous` from then on. */
export class SimHospitalLine implements OutboundChannel {
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
    const sent = this.#exchange(parcel, signal);
    this.#underWay.add(sent);
    return sent.finally(() => this.#underWay.delete(sent));
  }

  async #exchange(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const { process, timeline, dice, weather, watch, sender, trace } = this.#parts;
    this.#parts.onSend();
    const hospital = this.#parts.hospital(this.name);
    await this.#connected(hospital, signal);
    if (!this.#context.maySend()) throw new BridgeError('send-prevented', `${this.name} was not sent to`);
    const request = hospital.read(parcel);
    const over = watch.sends(sender, this.name, parcel, request.operation === 'find');
    trace.add(process.name, `sends ${hospital.name} ${request.operation} ${parcel.key}`);
    const send = new Send(process, signal, 'answer-timeout', over);
    timeline.after(dice.between(TRAVEL_MS), () => {
      if (weather.strikes('reset before', hospital.name)) {
        hospital.notice(request, 'reset');
        send.answer(dice.between(TRAVEL_MS), new BridgeError('connection-reset', 'the connection broke'));
        return;
      }
      hospital.receives(request, (ms, what, then) => send.answer(ms + dice.between(TRAVEL_MS), what, then));
    });
    return send.answered;
  }

  /** Resolves once a byte could be written. Throws `connection-failed` until then. */
  async #connected(hospital: SimHospital, signal: AbortSignal): Promise<void> {
    const { process, dice, weather } = this.#parts;
    const failed = () => new BridgeError('connection-failed', `${this.name} could not be connected`);
    if (signal.aborted) throw failed();
    const isSlow = weather.strikes('connecting slow', hospital.name);
    const refuses = weather.strikes('hospital refuses', hospital.name);
    await process.sleep(dice.between(isSlow ? SLOWLY_MS : CONNECT_MS), signal);
    if (signal.aborted || refuses) throw failed();
  }
}
