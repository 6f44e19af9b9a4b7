import { expect } from 'chai';

import type { RestOptions } from '../../../channels/rest/options.ts';
import { RestOutbound } from '../../../channels/rest/outbound.ts';
import type { Parcel } from '../../../engine/channel.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { ChannelName } from '../../../engine/message.ts';
import { describeOutbound, failure, PRIVATE } from '../../support/outbound-conformance.ts';
import { aContext } from '../context.ts';
import { HttpFarSide } from '../http/far-side.ts';
import { RawServer, response } from '../http/raw-server.ts';

const NAME = 'alnoor-out' as ChannelName;
const JSON_TYPE = { 'Content-Type': 'application/json' };
const DEFAULTS = { form: 'json', keyHeader: 'Idempotency-Key', headers: {} } as const;

function open(options: Partial<RestOptions> & Pick<RestOptions, 'address'>): RestOutbound {
  return new RestOutbound(NAME, { ...DEFAULTS, ...options }, aContext().context);
}

const sayings = {
  taken: (key: string) =>
    response(201, JSON.stringify({ requestKey: key, id: 'AN-000017', patient: PRIVATE }), JSON_TYPE),
  refused: (key: string) =>
    response(422, JSON.stringify({ requestKey: key, code: 'INVALID', message: PRIVATE }), JSON_TYPE),
};

describeOutbound('rest', {
  farSide: () => HttpFarSide.listen(sayings),
  open: (far) => open({ address: `${far.origin}/v1`, code: '/code', echo: '/requestKey' }),
  envelope: { method: 'POST', path: '/appointments' },
  taken: '201',
  capabilities: { answers: { refused: '422/INVALID', means: 'request-refused' }, replies: true },
});

describe('rest outbound', () => {
  let far: RawServer;
  let channel: RestOutbound | null = null;

  beforeEach(async () => {
    far = await RawServer.listen((socket) => socket.write(response(200, '{}', JSON_TYPE)));
  });

  afterEach(async () => {
    await channel?.stop();
    await far.close();
  });

  const parcel = (overrides: Partial<Parcel> = {}): Parcel => ({
    key: 'key-1',
    body: Buffer.from('{"externalReference":"BK-7712"}'),
    envelope: { method: 'POST', path: '/appointments' },
    type: 'booking.requested',
    ...overrides,
  });
  const send = async (options: Partial<RestOptions> = {}, overrides: Partial<Parcel> = {}) => {
    channel = open({ address: far.origin, ...options });
    await channel.start();
    return channel.send(parcel(overrides), AbortSignal.timeout(4_000));
  };
  const answers = (bytes: Buffer) => {
    far.onRequest = (socket) => socket.write(bytes);
  };
  const requested = () => far.requests[0]!.toString();

  it('sends method, path, key, media type and the exact body', async () => {
    await send({}, { envelope: { method: 'PUT', path: '/appointments/AN-000017' } });

    expect(requested()).to.match(/^PUT \/appointments\/AN-000017 HTTP\/1\.1\r\n/);
    expect(requested()).to.match(/\r\nIdempotency-Key: key-1\r\n/);
    expect(requested()).to.match(/\r\nContent-Type: application\/json\r\n/);
    expect(requested().split('\r\n\r\n')[1]).to.equal('{"externalReference":"BK-7712"}');
  });

  it('posts to the address itself when a route says no more', async () => {
    await send({ address: `${far.origin}/v1/in/` }, { envelope: {} });

    expect(requested()).to.match(/^POST \/v1\/in\/ HTTP/);
  });

  it('appends the path to that of the address, whether or not it ends with a slash', async () => {
    await send({ address: `${far.origin}/v1/` });

    expect(requested()).to.match(/^POST \/v1\/appointments HTTP/);
  });

  it('sends the configured headers over its own, and the key in the configured header', async () => {
    await send({
      keyHeader: 'X-Request-Id',
      headers: { Authorization: 'Bearer t', 'content-type': 'application/fhir+json' },
    });

    expect(requested()).to.match(/\r\nAuthorization: Bearer t\r\n/);
    expect(requested()).to.match(/\r\ncontent-type: application\/fhir\+json\r\n/);
    expect(requested()).not.to.match(/content-type: application\/json/i);
    expect(requested()).to.match(/\r\nX-Request-Id: key-1\r\n/);
  });

  it('sends every byte of a body that is part of a larger buffer', async () => {
    const larger = Buffer.from('....{"note":"\u00e9\u0661"}....');

    await send({}, { body: new Uint8Array(larger.buffer, larger.byteOffset + 4, larger.length - 8) });

    expect(requested().split('\r\n\r\n')[1]).to.equal('{"note":"\u00e9\u0661"}');
  });

  const statuses = [
    { status: 200, otherwise: null },
    { status: 202, otherwise: null },
    { status: 302, otherwise: null },
    { status: 400, otherwise: 'request-refused' },
    { status: 401, otherwise: 'credentials-refused' },
    { status: 403, otherwise: 'credentials-refused' },
    { status: 404, otherwise: 'request-refused' },
    { status: 408, otherwise: 'busy' },
    { status: 409, otherwise: 'request-refused' },
    { status: 425, otherwise: 'busy' },
    { status: 429, otherwise: 'busy' },
    { status: 500, otherwise: 'server-failed' },
    { status: 502, otherwise: 'server-failed' },
    { status: 503, otherwise: 'server-failed' },
    { status: 504, otherwise: 'server-failed' },
    { status: 507, otherwise: 'server-failed' },
  ] as const;

  for (const { status, otherwise } of statuses) {
    it(`takes ${status} for ${otherwise ?? 'nothing in particular'} unless verdicts say more`, async () => {
      answers(response(status, '{}', JSON_TYPE));

      const answer = await send();

      expect(answer.signals).to.deep.equal([`${status}`]);
      expect(answer.otherwise).to.equal(otherwise);
      expect(answer.summary).to.equal(`alnoor-out answered ${status}`);
    });
  }

  it('says the code of an answer before its status', async () => {
    answers(response(409, '{"code":"SLOT_TAKEN","alternatives":[]}', JSON_TYPE));

    const answer = await send({ code: '/code' });

    expect(answer.signals).to.deep.equal(['409/SLOT_TAKEN', '409']);
    expect(answer.summary).not.to.include('SLOT_TAKEN');
  });

  it('takes no prose for a code', async () => {
    answers(response(409, JSON.stringify({ code: 'the slot is taken '.repeat(10) }), JSON_TYPE));

    expect((await send({ code: '/code' })).signals).to.deep.equal(['409']);
  });

  it('reads codes of XML answers by XML paths', async () => {
    answers(response(409, '<e:Error xmlns:e="urn:e"><e:Code>SLOT_TAKEN</e:Code></e:Error>'));

    const answer = await send({ form: 'xml', code: 'Code' });

    expect(answer.signals).to.deep.equal(['409/SLOT_TAKEN', '409']);
    expect(requested()).to.match(/\r\nContent-Type: application\/xml; charset=utf-8\r\n/);
  });

  it('takes an answer with another key for no answer to this parcel, and keeps its bytes', async () => {
    answers(response(201, '{"requestKey":"key-0","status":"BOOKED"}', JSON_TYPE));

    const answer = await send({ echo: '/requestKey' });

    expect(answer.signals).to.deep.equal([]);
    expect(answer.otherwise).to.equal('answer-mismatched');
    expect(Buffer.from(answer.body).toString()).to.include('BOOKED');
  });

  for (const body of ['{"status":"BOOKED"}', '{"requestKey":"","status":"BOOKED"}', '{"requestKey":null}']) {
    it(`takes ${body}, which says no key, for ours`, async () => {
      answers(response(201, body, JSON_TYPE));

      expect((await send({ echo: '/requestKey' })).signals).to.deep.equal(['201']);
    });
  }

  const unreadable = [
    { what: 'a 200 that is cut off', bytes: response(200, '{"status":"BOO', JSON_TYPE) },
    { what: 'a 200 of a login page', bytes: response(200, '<html></html>', { 'Content-Type': 'text/html' }) },
    { what: 'a 409 that claims JSON and is none', bytes: response(409, 'SLOT_TAKEN', JSON_TYPE) },
    {
      what: 'a problem document that is cut off',
      bytes: response(422, '{"type":', { 'Content-Type': 'application/problem+json; charset=utf-8' }),
    },
  ];

  for (const { what, bytes } of unreadable) {
    it(`takes ${what} for unreadable, and keeps its bytes`, async () => {
      answers(bytes);

      const answer = await send();

      expect(answer.signals).to.deep.equal([]);
      expect(answer.otherwise).to.equal('answer-unreadable');
      expect(answer.body).to.have.length.greaterThan(0);
      expect(answer.summary).to.match(/^alnoor-out answered \d{3}, not readable as json$/);
    });
  }

  it('takes an empty 200 that ends with the connection for unreadable: it may have been cut', async () => {
    far.onRequest = (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n');

    expect((await send()).otherwise).to.equal('answer-unreadable');
  });

  it('reads a 200 that says it is empty, and a 204', async () => {
    answers(response(200, ''));
    expect((await send()).signals).to.deep.equal(['200']);
    await channel?.stop();

    answers(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'));
    expect((await send()).signals).to.deep.equal(['204']);
  });

  it('takes a 502 of a proxy for what its status says', async () => {
    answers(response(502, '<html>Bad Gateway</html>', { 'Content-Type': 'text/html' }));

    const answer = await send();

    expect(answer.signals).to.deep.equal(['502']);
    expect(answer.otherwise).to.equal('server-failed');
  });

  it('passes on how long the far side asks to wait', async () => {
    answers(response(429, '', { 'Retry-After': '7' }));

    expect((await send()).retryAfterMs).to.equal(7_000);
  });

  it('takes a redirect for an answer and does not follow it', async () => {
    const elsewhere = await RawServer.listen((socket) => socket.write(response(200, '{}', JSON_TYPE)));
    answers(response(307, '', { Location: `${elsewhere.origin}/appointments` }));

    const answer = await send();

    expect(answer.signals).to.deep.equal(['307']);
    expect(elsewhere.connections).to.equal(0);
    await elsewhere.close();
  });

  for (const path of [
    '/../admin',
    '/a/%2E%2e/b',
    '/a b',
    '/a\r\nX: y',
    '/a#b',
    '/\\evil',
    '/é',
    'appointments',
  ]) {
    it(`sends nothing to the path ${JSON.stringify(path)}, which no template may render`, async () => {
      const error = await failure(send({}, { envelope: { path } }));

      expect(error.code).to.equal('output-invalid');
      expect(error.message).not.to.include(path);
      expect(far.bytes).to.equal(0);
    });
  }

  it('stays with the host of its address whatever the path looks like', async () => {
    await send({}, { envelope: { path: '//elsewhere.example/@x' } });

    expect(requested()).to.match(/^POST \/\/elsewhere\.example\/@x HTTP/);
  });

  it('sends nothing under a key that no header can carry', async () => {
    const error = await failure(send({}, { key: 'key-1\r\nX-Evil: 1' }));

    expect(error.code).to.equal('output-invalid');
    expect(far.bytes).to.equal(0);
  });

  const wrong = [
    { options: { address: 'alnoor.example' }, says: /address of alnoor-out is not a URL/ },
    { options: { address: 'ftp://alnoor.example' }, says: /must begin with http/ },
    { options: { address: 'https://u:secret@alnoor.example' }, says: /carries credentials/ },
    { options: { address: 'https://alnoor.example/#a' }, says: /fragment/ },
    { options: { address: 'https://alnoor.example', code: 'code' }, says: /code of alnoor-out: / },
    {
      options: { address: 'https://alnoor.example', headers: { 'transfer-encoding': 'chunked' } },
      says: /header transfer-encoding of alnoor-out is not its to set/,
    },
    { options: { address: 'https://alnoor.example', keyHeader: 'Host' }, says: /header Host/ },
    {
      options: { address: 'https://alnoor.example', headers: { Token: 'a\n' } },
      says: /no header can carry/,
    },
  ];

  for (const { options, says } of wrong) {
    it(`refuses ${JSON.stringify(options)} when it is made`, () => {
      expect(() => open(options))
        .to.throw(BridgeError, says)
        .with.property('code', 'config-invalid');
    });
  }
});
