import type { Socket } from 'node:net';

import { expect } from 'chai';

import { HttpClient } from '../../../channels/http/client.ts';
import { failure } from '../../support/outbound-conformance.ts';
import { RawServer, response } from './raw-server.ts';

const REQUEST = { method: 'POST', path: '/x', headers: {}, body: Buffer.from('{"name":"Layla Example"}') };

function writesAndResets(text: string) {
  return (socket: Socket) => socket.write(text, () => socket.resetAndDestroy());
}

/** What a far side can do with a request, and what that proves. Each was seen on the wire with undici 8.12. */
const MISBEHAVIOURS = [
  {
    does: 'resets once it has read the request',
    with: (socket: Socket) => socket.resetAndDestroy(),
    code: 'connection-reset',
  },
  {
    does: 'closes without an answer',
    with: (socket: Socket) => socket.end(),
    code: 'connection-reset',
  },
  {
    does: 'closes within the headers',
    with: (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nConte'),
    code: 'connection-reset',
  },
  {
    does: 'resets within the headers',
    with: writesAndResets('HTTP/1.1 200 OK\r\nConte'),
    code: 'connection-reset',
  },
  {
    does: 'closes within the body',
    with: (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"a":'),
    code: 'connection-reset',
  },
  {
    does: 'resets within the body',
    with: writesAndResets('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"a":'),
    code: 'connection-reset',
  },
  {
    does: 'closes between two chunks',
    with: (socket: Socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
    code: 'connection-reset',
  },
  {
    does: 'switches to another protocol',
    with: (socket: Socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    code: 'connection-reset',
  },
  {
    does: 'speaks something else',
    with: (socket: Socket) => socket.end('SSH-2.0-Layla Example\r\n'),
    code: 'answer-unreadable',
  },
  {
    does: 'sends a chunk size that is none',
    with: (socket: Socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nLayla Example'),
    code: 'answer-unreadable',
  },
  {
    does: 'answers with more than the limit',
    with: (socket: Socket) => socket.write(response(200, Buffer.alloc(1_100_000))),
    code: 'answer-unreadable',
  },
  {
    does: 'answers with endless headers',
    with: (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`),
    code: 'answer-unreadable',
  },
] as const;

describe('http exchange', () => {
  let far: RawServer;
  let client: HttpClient;

  beforeEach(async () => {
    far = await RawServer.listen(() => undefined);
    client = new HttpClient({
      channel: 'alnoor-out',
      origin: far.origin,
      report: () => undefined,
      maySend: () => true,
    });
    client.start();
  });

  afterEach(async () => {
    await client.stop();
    await far.close();
  });

  const exchange = (signal = AbortSignal.timeout(4_000)) => client.exchange(REQUEST, signal);

  for (const { does, with: misbehave, code } of MISBEHAVIOURS) {
    it(`is ambiguous, ${code}, and sent once when the far side ${does}`, async () => {
      far.onRequest = misbehave;

      const error = await failure(exchange() as never);

      expect(error.code).to.equal(code);
      expect(error.fault).to.equal('ambiguous');
      expect(far.requests).to.have.length(1);
      expect(JSON.stringify([error.message, error.details, { ...(error.cause as object) }])).not.to.include(
        'Layla',
      );
    });
  }

  it('is ambiguous when the far side drips its answer until the deadline', async () => {
    const deadline = new AbortController();
    far.onRequest = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{');
      socket.write('"', () => deadline.abort());
    };

    const error = await failure(exchange(deadline.signal) as never);

    expect(error.code).to.equal('answer-timeout');
    expect(error.fault).to.equal('ambiguous');
  });

  it('says unavailable about a connection that was reset on accept only when no request arrived', async () => {
    far.onConnection = (socket) => socket.resetAndDestroy();

    const errors = await Promise.all(Array.from({ length: 20 }, () => failure(exchange() as never)));

    for (const { code } of errors) expect(code).to.be.oneOf(['connection-failed', 'connection-reset']);
    expect(far.requests.length).to.be.at.most(errors.filter(({ fault }) => fault === 'ambiguous').length);
  });

  it('is unavailable when the port is closed', async () => {
    await far.close();

    const error = await failure(exchange() as never);

    expect(error.code).to.equal('connection-failed');
    expect(error.details).to.deep.equal({ reason: 'ECONNREFUSED' });
  });

  it('is unavailable when the name does not resolve', async () => {
    const nowhere = new HttpClient({
      channel: 'alnoor-out',
      origin: 'http://alnoor.invalid',
      report: () => undefined,
      maySend: () => true,
    });
    nowhere.start();

    const error = await failure(nowhere.exchange(REQUEST, AbortSignal.timeout(4_000)) as never);
    await nowhere.stop();

    expect(error.code).to.equal('connection-failed');
  });

  it('is unavailable when time ends before the connection is open, and writes nothing afterwards', async () => {
    const secure = new HttpClient({
      channel: 'alnoor-out',
      origin: far.origin.replace('http:', 'https:'),
      report: () => undefined,
      maySend: () => true,
    });
    secure.start();
    const deadline = new AbortController();
    // The far side accepts and never says its part of the TLS handshake.
    far.onConnection = () => deadline.abort();

    const error = await failure(secure.exchange(REQUEST, deadline.signal) as never);
    await secure.stop();

    expect(error.code).to.equal('connection-failed');
    expect(far.requests).to.have.length(0);
  });

  it('writes nothing when the connection opens after the signal aborted', async () => {
    const deadline = new AbortController();
    const early = failure(exchange(deadline.signal) as never);
    deadline.abort();
    expect((await early).fault).to.equal('unavailable');
    far.onRequest = (socket) => socket.write(response(200, '{}'));

    await exchange();

    expect(far.requests).to.have.length(1);
  });

  it('reads an answer that ends with the connection', async () => {
    far.onRequest = (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a":1}');

    const { status, headers, body } = await exchange();

    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('application/json');
    expect(Buffer.from(body).toString()).to.equal('{"a":1}');
  });

  it('reads past early hints to the answer', async () => {
    far.onRequest = (socket) =>
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'), response(201, '{}')]));

    expect((await exchange()).status).to.equal(201);
  });

  it('gives a second, unasked answer to nobody', async () => {
    far.onRequest = (socket, request) => {
      const answer = response(200, request.includes('first') ? 'first' : 'second');
      socket.write(Buffer.concat([answer, response(200, 'unasked')]));
    };

    const answers = [];
    for (const word of ['first', 'second']) {
      const answer = await client.exchange(
        { ...REQUEST, body: Buffer.from(word) },
        AbortSignal.timeout(4_000),
      );
      answers.push(Buffer.from(answer.body).toString());
    }

    expect(answers).to.deep.equal(['first', 'second']);
  });
});
