import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';

import { expect } from 'chai';

import { HttpClient } from '../../../channels/http/client.ts';
import { failure } from '../../support/outbound-conformance.ts';
import { RawServer, response } from './raw-server.ts';
import { selfSigned } from './self-signed.ts';

const REQUEST = { method: 'POST', path: '/x', headers: {}, body: Buffer.from('{}') };

describe('http client', () => {
  let far: RawServer;
  let client: HttpClient;
  let reports: string[];
  let mayLeave: boolean;

  const connect = (origin: string) =>
    new HttpClient({
      channel: 'alnoor-out',
      origin,
      report: (state) => reports.push(state),
      maySend: () => mayLeave,
    });
  const exchange = () => client.exchange(REQUEST, AbortSignal.timeout(4_000));

  beforeEach(async () => {
    reports = [];
    mayLeave = true;
    far = await RawServer.listen((socket) => socket.write(response(200, '{}')));
    client = connect(far.origin);
    client.start();
  });

  afterEach(async () => {
    await client.stop();
    await far.close();
  });

  it('opens no connection by starting', async () => {
    await client.stop();

    expect(far.connections).to.equal(0);
  });

  it('writes nothing for an instance that was frozen while it connected, and goes on when it lives again', async () => {
    far.onConnection = () => {
      mayLeave = false;
    };
    const prevented = await failure(exchange() as never);
    mayLeave = true;
    far.onConnection = () => undefined;
    await exchange();

    expect(prevented).to.include({ code: 'send-prevented', fault: 'unavailable' });
    expect(far.requests).to.have.length(1);
  });

  it('keeps a connection for the next request', async () => {
    await exchange();
    await new Promise(setImmediate);
    await exchange();

    expect(far.connections).to.equal(1);
    expect(far.requests).to.have.length(2);
  });

  it('takes a new connection when the far side closed the idle one', async () => {
    const closed = Promise.withResolvers<void>();
    far.onConnection = (socket) => socket.once('close', () => closed.resolve());
    far.onRequest = (socket) => {
      socket.write(response(200, '{}'));
      socket.end();
    };
    await exchange();
    await closed.promise;

    await exchange();

    expect(far.connections).to.equal(2);
    expect(far.requests).to.have.length(2);
  });

  it('is ambiguous when a kept connection breaks under the next request, and does not send it again', async () => {
    await exchange();
    await new Promise(setImmediate);
    far.onRequest = (socket) => socket.resetAndDestroy();

    const error = await failure(exchange() as never);

    expect(error.code).to.equal('connection-reset');
    expect(error.fault).to.equal('ambiguous');
    expect(far.connections).to.equal(1);
    expect(far.requests).to.have.length(2);
  });

  it('closes every connection when it stops', async () => {
    const closed = Promise.withResolvers<void>();
    far.onConnection = (socket) => socket.once('close', () => closed.resolve());
    await exchange();

    await client.stop();

    await closed.promise;
  });

  it('can be started again', async () => {
    await client.stop();
    client.start();

    expect((await exchange()).status).to.equal(200);
  });

  it('sends nothing to a far side whose certificate nobody vouches for', async () => {
    const heard: Buffer[] = [];
    const secure = createServer(selfSigned(), (socket) => socket.on('data', (chunk) => heard.push(chunk)));
    // The client hangs up within the handshake.
    secure.on('tlsClientError', (_, socket) => socket.destroy());
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const distrustful = connect(`https://localhost:${(secure.address() as AddressInfo).port}`);
    distrustful.start();

    const error = await failure(distrustful.exchange(REQUEST, AbortSignal.timeout(4_000)) as never);
    await distrustful.stop();
    secure.close();

    expect(error.code).to.equal('connection-failed');
    expect(error.fault).to.equal('unavailable');
    expect(error.details['reason']).to.equal('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(heard).to.have.length(0);
  });

  it('reports that the far side is away once, and that it is back once', async () => {
    await exchange();
    await exchange();
    await far.close();
    await failure(exchange() as never);
    await failure(exchange() as never);

    expect(reports).to.deep.equal(['opened', 'closed']);
  });
});
