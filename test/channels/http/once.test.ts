import type { Socket } from 'node:net';

import { expect } from 'chai';
import fc from 'fast-check';

import { HttpClient } from '../../../channels/http/client.ts';
import { BridgeError } from '../../../engine/errors.ts';
import { RawServer, response } from './raw-server.ts';

type Manner = (socket: Socket) => void;

const MANNERS: Readonly<Record<string, Manner>> = {
  answers: (socket) => socket.write(response(200, '{}')),
  'answers and closes': (socket) => socket.end(response(200, '{}')),
  'answers and resets': (socket) => socket.write(response(200, '{}'), () => socket.resetAndDestroy()),
  'answers, asking to close': (socket) => socket.write(response(200, '{}', { Connection: 'close' })),
  'hints a long keep-alive and closes': (socket) =>
    socket.end(response(200, '{}', { 'Keep-Alive': 'timeout=600' })),
  resets: (socket) => socket.resetAndDestroy(),
  closes: (socket) => socket.end(),
  'breaks off its answer': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'),
  'speaks something else': (socket) => socket.end('220 ready\r\n'),
};

describe('http exchange over connections that come and go', () => {
  it('puts each request on the wire at most once, and none that it calls unavailable', async () => {
    const manners = fc.array(fc.constantFrom(...Object.keys(MANNERS)), { minLength: 5, maxLength: 25 });

    await fc.assert(
      fc.asyncProperty(manners, fc.integer({ min: 1, max: 4 }), async (script, abreast) => {
        const { arrived, outcomes } = await played(script, abreast);

        for (const [id, outcome] of outcomes.entries()) {
          const times = arrived.filter((one) => one === id).length;
          expect(times, `request ${id}, ${outcome}`).to.be.at.most(1);
          if (outcome === 'unavailable') expect(times).to.equal(0);
          if (outcome === 'answered') expect(times).to.equal(1);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Sends as many requests as the script has steps, `abreast` at a time; the far side does one step for each. */
async function played(script: readonly string[], abreast: number) {
  const steps = script.values();
  const far = await RawServer.listen((socket) => MANNERS[steps.next().value ?? 'answers']?.(socket));
  const client = new HttpClient({
    channel: 'alnoor-out',
    origin: far.origin,
    report: () => undefined,
    maySend: () => true,
  });
  client.start();
  const outcomes = new Map<number, string>();
  const ids = script.keys();
  const sender = async () => {
    for (const id of ids) {
      const request = { method: 'POST', path: '/x', headers: {}, body: Buffer.from(`${id}`) };
      outcomes.set(
        id,
        await client.exchange(request, AbortSignal.timeout(4_000)).then(
          () => 'answered',
          (reason: unknown) => (reason instanceof BridgeError ? reason.fault : 'crashed'),
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: abreast }, sender));
  await client.stop();
  await far.close();
  const arrived = far.requests.map((request) => Number(request.toString().split('\r\n\r\n')[1]));
  return { arrived, outcomes };
}
