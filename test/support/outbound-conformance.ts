import { expect } from 'chai';

import type { Answer, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';

/** The other end of a channel, in this process. It keeps what it receives and answers the way it is told. */
export interface FarSide {
  /** From now on: takes each parcel, says no to it, waits for `release`, says nothing, or breaks the connection once it has it. */
  behave(manner: 'takes' | 'refuses' | 'waits' | 'silent' | 'breaks-off'): void;
  /** Takes everything it has waited with. */
  release(): void;
  /** Every parcel that arrived, with all bytes a repeat must repeat. */
  received(): readonly Uint8Array[];
  /** Resolves once `count` parcels have arrived. */
  arrived(count: number): Promise<void>;
  /** Cannot be reached any more; connections that are open are closed. */
  goAway(): Promise<void>;
  close(): Promise<void>;
}

export interface OutboundSuite<Far extends FarSide> {
  farSide(): Promise<Far>;
  /** Makes a channel to it, not yet started. */
  open(far: Far): OutboundChannel;
  /** What the kind needs beside the body. */
  readonly envelope?: Readonly<Record<string, string>>;
  /** The signal of a parcel that was taken. */
  readonly taken: string;
  readonly capabilities: {
    /** It can say no: the signal of a no, and what it means when `verdicts:` does not list it. */
    readonly answers: { readonly refused: string; readonly means: ErrorCode | null } | false;
    /** Its answers have a body, which holds the key of the parcel. */
    readonly replies: boolean;
  };
}

/** In every body that travels, and so in no error and no summary. */
export const PRIVATE = 'Layla Example';

/** What every outbound channel promises, whatever its kind. A kind is not listed before it passes. */
export function describeOutbound<Far extends FarSide>(kind: string, suite: OutboundSuite<Far>): void {
  describe(`outbound ${kind}`, () => {
    let far: Far;
    let channel: OutboundChannel;

    beforeEach(async () => {
      far = await suite.farSide();
      channel = suite.open(far);
    });

    afterEach(async () => {
      await channel.stop();
      await far.close();
    });

    const parcel = (key = 'key-1'): Parcel => ({
      key,
      body: Buffer.from(JSON.stringify({ key, patient: { name: PRIVATE } })),
      envelope: suite.envelope ?? {},
      type: 'booking.requested',
    });
    const send = (key?: string, signal = AbortSignal.timeout(4_000)) => channel.send(parcel(key), signal);

    it('resolves with the answer once the far side has taken the parcel', async () => {
      await channel.start();

      const answer = await send();

      expect(answer.signals).to.include(suite.taken);
      expect(answer.otherwise).to.equal(null);
      expect(far.received()).to.have.length(1);
    });

    it('starts while the far side is away, and fails as unavailable with nothing written', async () => {
      await far.goAway();

      await channel.start();
      const error = await failure(send());

      expect(error.fault).to.equal('unavailable');
      expect(far.received()).to.have.length(0);
    });

    it('fails as unavailable when it is not started', async () => {
      const error = await failure(send());

      expect(error.fault).to.equal('unavailable');
      expect(far.received()).to.have.length(0);
    });

    it('fails as unavailable after a stop', async () => {
      await channel.start();
      await channel.stop();

      const error = await failure(send());

      expect(error.fault).to.equal('unavailable');
      expect(far.received()).to.have.length(0);
    });

    it('writes nothing for a signal that is aborted already', async () => {
      await channel.start();

      const error = await failure(send('key-1', AbortSignal.abort()));

      expect(error.fault).to.equal('unavailable');
      expect(far.received()).to.have.length(0);
    });

    it('fails as ambiguous when it was written and its time ends without an answer', async () => {
      await channel.start();
      far.behave('silent');
      const deadline = new AbortController();

      const outcome = failure(send('key-1', deadline.signal));
      await far.arrived(1);
      deadline.abort();

      expect((await outcome).fault).to.equal('ambiguous');
    });

    it('fails as ambiguous when the connection breaks after the parcel arrived, and does not send it again', async () => {
      await channel.start();
      far.behave('breaks-off');

      const error = await failure(send());

      expect(error.fault).to.equal('ambiguous');
      expect(far.received()).to.have.length(1);
    });

    it('carries on after a connection that broke', async () => {
      await channel.start();
      far.behave('breaks-off');
      await failure(send('key-1'));
      far.behave('takes');

      const answer = await onceItLeft(() => send('key-2'));

      expect(answer.signals).to.include(suite.taken);
    });

    it('gives each of many parcels sent at once its own answer', async () => {
      await channel.start();
      far.behave('waits');
      const keys = ['key-1', 'key-2', 'key-3', 'key-4', 'key-5'];

      const answers = Promise.all(keys.map((key) => send(key)));
      await far.arrived(keys.length);
      far.release();

      for (const [at, answer] of (await answers).entries()) {
        expect(answer.signals).to.include(suite.taken);
        if (suite.capabilities.replies) expect(text(answer)).to.include(keys[at]);
      }
    });

    it('writes the same bytes when the same parcel is sent again', async () => {
      await channel.start();

      await send();
      await send();

      const [first, second] = far.received();
      expect(Buffer.from(first!).includes(PRIVATE), 'the body is among the bytes compared').to.equal(true);
      expect(Buffer.from(second!).equals(Buffer.from(first!))).to.equal(true);
    });

    it('lets what is under way end before it stops', async () => {
      await channel.start();
      far.behave('waits');
      const ends: string[] = [];

      const sending = send().then((answer) => {
        ends.push('answered');
        return answer;
      });
      await far.arrived(1);
      const stopping = channel.stop().then(() => ends.push('stopped'));
      far.release();
      await Promise.all([sending, stopping]);

      expect(ends).to.deep.equal(['answered', 'stopped']);
      expect((await sending).signals).to.include(suite.taken);
    });

    it('stops by the deadline of what is under way when the far side never answers', async () => {
      await channel.start();
      far.behave('silent');
      const deadline = new AbortController();

      const outcome = failure(send('key-1', deadline.signal));
      await far.arrived(1);
      const stopping = channel.stop();
      deadline.abort();
      await stopping;

      expect((await outcome).fault).to.equal('ambiguous');
    });

    it('says no word of a body in an error, nor in what caused it', async () => {
      await channel.start();
      const deadline = new AbortController();
      far.behave('breaks-off');
      const broken = await failure(send('key-1'));
      far.behave('silent');
      const silent = failure(onceItLeft(() => send('key-2', deadline.signal)));
      await far.arrived(2);
      deadline.abort();
      const late = await silent;
      await far.goAway();
      const away = await failure(send('key-3'));

      for (const error of [broken, late, away]) expect(everythingIn(error)).not.to.include(PRIVATE);
    });

    const { answers, replies } = suite.capabilities;
    if (answers !== false) {
      it('resolves with the far side’s no and what it means', async () => {
        await channel.start();
        far.behave('refuses');

        const answer = await send();

        expect(answer.signals).to.include(answers.refused);
        expect(answer.otherwise).to.equal(answers.means);
        expect(answer.summary).not.to.include(PRIVATE);
      });
    }
    if (replies) {
      it('keeps the body of an answer, and no word of it in the summary', async () => {
        await channel.start();

        const answer = await send();

        expect(text(answer)).to.include(PRIVATE);
        expect(answer.summary).not.to.include(PRIVATE);
      });
    }
  });
}

/** The BridgeError a send fails with. */
export async function failure(send: Promise<Answer>): Promise<BridgeError> {
  const thrown = await send.then(
    (answer) => expect.fail(`it was answered: ${answer.signals.join(' ')}`),
    (reason: unknown) => reason,
  );
  expect(thrown).to.be.instanceOf(BridgeError);
  return thrown as BridgeError;
}

/** Sends until a parcel left: a kind that reconnects by itself needs a while after its connection broke. */
async function onceItLeft(send: () => Promise<Answer>): Promise<Answer> {
  const patience = AbortSignal.timeout(4_000);
  for (;;) {
    try {
      return await send();
    } catch (thrown) {
      const left = !(thrown instanceof BridgeError) || thrown.fault !== 'unavailable';
      if (left || patience.aborted) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function text(answer: Answer): string {
  return Buffer.from(answer.body).toString();
}

/** All that a logger could find in an error: messages, stacks, details and causes, with every property of them. */
function everythingIn(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const properties = JSON.stringify({ ...thrown }, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  const details = thrown instanceof BridgeError ? JSON.stringify(thrown.details) : '';
  return [thrown.message, thrown.stack, properties, details, everythingIn(thrown.cause)].join('\n');
}
