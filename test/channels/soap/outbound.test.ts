import { expect } from 'chai';

import type { SoapOptions } from '../../../channels/soap/options.ts';
import { SoapOutbound } from '../../../channels/soap/outbound.ts';
import type { Parcel } from '../../../engine/channel.ts';
import type { ChannelName } from '../../../engine/message.ts';
import { describeOutbound, failure, PRIVATE } from '../../support/outbound-conformance.ts';
import { aContext } from '../context.ts';
import { HttpFarSide } from '../http/far-side.ts';
import { RawServer, response } from '../http/raw-server.ts';

const NAME = 'stmary-out' as ChannelName;
const XML = { 'Content-Type': 'text/xml; charset=utf-8' };
const NAMESPACE = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
} as const;

type Version = keyof typeof NAMESPACE;

function open(options: Partial<SoapOptions> & Pick<SoapOptions, 'address'>): SoapOutbound {
  return new SoapOutbound(NAME, { version: '1.1', headers: {}, ...options }, aContext().context);
}

function envelope(body: string, { key = 'key-1', version = '1.1' as Version } = {}): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="${NAMESPACE[version]}" xmlns:m="urn:stmary:appointments:v1">
  <s:Header><m:RelatesTo>${key}</m:RelatesTo></s:Header>
  <s:Body>${body}</s:Body>
</s:Envelope>`;
}

const BOOKED = `<m:BookAppointmentResponse><m:Appointment><m:Reference>SM-000009</m:Reference></m:Appointment></m:BookAppointmentResponse>`;
const code = (word: string) => (word === '' ? '' : `<m:Code>${word}</m:Code>`);
const FAULT = {
  '1.1': (faultcode: string, word = '') =>
    `<s:Fault><faultcode>${faultcode}</faultcode><faultstring>${PRIVATE}</faultstring><detail>${code(word)}</detail></s:Fault>`,
  '1.2': (value: string, word = '') =>
    `<s:Fault><s:Code><s:Value>${value}</s:Value></s:Code><s:Reason><s:Text>${PRIVATE}</s:Text></s:Reason><s:Detail>${code(word)}</s:Detail></s:Fault>`,
} as const;
const CODE_PATH = { '1.1': 'Body/Fault/detail/Code', '1.2': 'Body/Fault/Detail/Code' } as const;
const CLIENT = { '1.1': 's:Client', '1.2': 's:Sender' } as const;

for (const version of ['1.1', '1.2'] as const) {
  const booked = `<m:Booked><m:Name>${PRIVATE}</m:Name></m:Booked>`;
  describeOutbound(`soap ${version}`, {
    farSide: () =>
      HttpFarSide.listen({
        taken: (key) => response(200, envelope(booked, { key, version }), XML),
        refused: (key) =>
          response(500, envelope(FAULT[version](CLIENT[version], 'SLOT_TAKEN'), { key, version }), XML),
      }),
    open: (far) =>
      open({ address: `${far.origin}/ws`, version, code: CODE_PATH[version], echo: 'Header/RelatesTo' }),
    envelope: { action: 'BookAppointment' },
    taken: 'response',
    capabilities: {
      answers: { refused: 'fault/Client/SLOT_TAKEN', means: 'request-refused' },
      replies: true,
    },
  });
}

describe('soap outbound', () => {
  let far: RawServer;
  let channel: SoapOutbound | null = null;

  beforeEach(async () => {
    far = await RawServer.listen((socket) => socket.write(response(200, envelope(BOOKED), XML)));
  });

  afterEach(async () => {
    await channel?.stop();
    await far.close();
  });

  const parcel = (overrides: Partial<Parcel> = {}): Parcel => ({
    key: 'key-1',
    body: Buffer.from(envelope('<m:BookAppointment/>')),
    envelope: { action: 'BookAppointment' },
    type: 'booking.requested',
    ...overrides,
  });
  const send = async (options: Partial<SoapOptions> = {}, overrides: Partial<Parcel> = {}) => {
    channel = open({ address: far.origin, ...options });
    await channel.start();
    return channel.send(parcel(overrides), AbortSignal.timeout(4_000));
  };
  const answers = (status: number, body: string, headers: Record<string, string> = XML) => {
    far.onRequest = (socket) => socket.write(response(status, body, headers));
  };
  const requested = () => far.requests[0]!.toString();

  it('posts SOAP 1.1 as text/xml with its action in a header', async () => {
    await send({ address: `${far.origin}/ws/appointments.asmx?op=Book` });

    expect(requested()).to.match(/^POST \/ws\/appointments\.asmx\?op=Book HTTP\/1\.1\r\n/);
    expect(requested()).to.match(/\r\nContent-Type: text\/xml; charset=utf-8\r\n/);
    expect(requested()).to.match(/\r\nSOAPAction: "BookAppointment"\r\n/);
    expect(requested().slice(requested().indexOf('\r\n\r\n') + 4)).to.equal(envelope('<m:BookAppointment/>'));
  });

  it('posts SOAP 1.2 as application/soap+xml with its action in the content type', async () => {
    await send({ version: '1.2' });

    expect(requested()).to.match(
      /\r\nContent-Type: application\/soap\+xml; charset=utf-8; action="BookAppointment"\r\n/,
    );
    expect(requested()).not.to.match(/soapaction/i);
  });

  it('sends nothing with an action that could end its quotes', async () => {
    const error = await failure(send({}, { envelope: { action: 'Book"; x="' } }));

    expect(error.code).to.equal('output-invalid');
    expect(far.bytes).to.equal(0);
  });

  const faults = [
    {
      version: '1.1',
      said: 's:Client',
      word: 'SLOT_TAKEN',
      status: 500,
      signals: ['fault/Client/SLOT_TAKEN', 'fault/Client'],
      otherwise: 'request-refused',
    },
    {
      version: '1.1',
      said: 's:Client',
      word: 'SLOT_TAKEN',
      status: 200,
      signals: ['fault/Client/SLOT_TAKEN', 'fault/Client'],
      otherwise: 'request-refused',
    },
    {
      version: '1.1',
      said: 's:Client',
      status: 500,
      signals: ['fault/Client'],
      otherwise: 'request-refused',
    },
    {
      version: '1.1',
      said: 's:Server',
      word: 'BUSY',
      status: 500,
      signals: ['fault/Server/BUSY', 'fault/Server'],
      otherwise: 'server-failed',
    },
    { version: '1.1', said: 's:Server', status: 200, signals: ['fault/Server'], otherwise: 'server-failed' },
    {
      version: '1.1',
      said: 's:Server.Database',
      word: 'X1',
      status: 500,
      signals: ['fault/Server/X1', 'fault/Server.Database', 'fault/Server'],
      otherwise: 'server-failed',
    },
    {
      version: '1.1',
      said: 's:MustUnderstand',
      status: 500,
      signals: ['fault/MustUnderstand'],
      otherwise: 'request-refused',
    },
    { version: '1.1', said: 'm:Oops', status: 500, signals: ['fault/Oops'], otherwise: 'server-failed' },
    { version: '1.1', said: '', status: 500, signals: ['fault/Unknown'], otherwise: 'server-failed' },
    {
      version: '1.1',
      said: 'Client',
      status: 401,
      signals: ['fault/Client'],
      otherwise: 'credentials-refused',
    },
    { version: '1.1', said: 'Server', status: 429, signals: ['fault/Server'], otherwise: 'busy' },
    {
      version: '1.2',
      said: 's:Sender',
      word: 'UNKNOWN',
      status: 400,
      signals: ['fault/Client/UNKNOWN', 'fault/Client'],
      otherwise: 'request-refused',
    },
    {
      version: '1.2',
      said: 's:Receiver',
      status: 500,
      signals: ['fault/Server'],
      otherwise: 'server-failed',
    },
  ] as const;

  for (const fault of faults) {
    const { version, said, status, signals, otherwise } = fault;
    const word = 'word' in fault ? fault.word : '';
    it(`reads a ${version} fault ${said} ${word} with HTTP ${status} as ${otherwise}`, async () => {
      answers(status, envelope(FAULT[version](said, word), { version }));

      const answer = await send({ version, code: CODE_PATH[version] });

      expect(answer.signals).to.deep.equal(signals);
      expect(answer.otherwise).to.equal(otherwise);
      expect(answer.summary).to.equal(`stmary-out answered ${status} with a fault`);
    });
  }

  it('reads a 1.2 fault on a channel of 1.1, and the other way round', async () => {
    answers(500, envelope(FAULT['1.2']('s:Receiver'), { version: '1.2' }));
    expect((await send()).signals).to.deep.equal(['fault/Server']);
    await channel?.stop();

    answers(500, envelope(FAULT['1.1']('s:Client')));
    expect((await send({ version: '1.2' })).signals).to.deep.equal(['fault/Client']);
  });

  it('says response for an envelope without a fault, whatever its prefixes', async () => {
    const prefixed = envelope(BOOKED)
      .replaceAll(/(<\/?)s:/g, '$1soapenv:')
      .replace('xmlns:s=', 'xmlns:soapenv=');
    answers(200, prefixed);

    const answer = await send();

    expect(answer.signals).to.deep.equal(['response']);
    expect(answer.otherwise).to.equal(null);
    expect(Buffer.from(answer.body).toString()).to.include('SM-000009');
  });

  it('does not call a 500 without a fault a response', async () => {
    answers(500, envelope(BOOKED));

    const answer = await send();

    expect(answer.signals).to.deep.equal(['500']);
    expect(answer.otherwise).to.equal('server-failed');
  });

  it('takes an answer that relates to another message for no answer, fault or not', async () => {
    for (const body of [BOOKED, FAULT['1.1']('s:Client', 'SLOT_TAKEN')]) {
      answers(200, envelope(body, { key: 'key-0' }));

      const answer = await send({ echo: 'Header/RelatesTo' });

      expect(answer.signals).to.deep.equal([]);
      expect(answer.otherwise).to.equal('answer-mismatched');
      await channel?.stop();
    }
  });

  const unreadable = [
    { what: 'an envelope that is cut off', status: 200, body: envelope(BOOKED).slice(0, -20) },
    { what: 'a page in XHTML', status: 200, body: '<html><body>Please log in</body></html>' },
    { what: 'an envelope without a body', status: 200, body: '<s:Envelope xmlns:s="urn:x"/>' },
    { what: 'no XML at all', status: 200, body: 'OK' },
    {
      what: 'an envelope with a document type',
      status: 200,
      body: `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${envelope('&e;').split('?>')[1]}`,
    },
    { what: 'a 500 that claims XML and is none', status: 500, body: 'Internal error' },
  ];

  for (const { what, status, body } of unreadable) {
    it(`takes ${what} for unreadable, and keeps its bytes`, async () => {
      answers(status, body);

      const answer = await send();

      expect(answer.signals).to.deep.equal([]);
      expect(answer.otherwise).to.equal('answer-unreadable');
      expect(Buffer.from(answer.body).toString()).to.equal(body);
    });
  }

  const plain = [
    { status: 503, otherwise: 'server-failed' },
    { status: 404, otherwise: 'request-refused' },
    { status: 401, otherwise: 'credentials-refused' },
    { status: 429, otherwise: 'busy' },
    { status: 302, otherwise: null },
  ];

  for (const { status, otherwise } of plain) {
    it(`takes a ${status} without an envelope for what HTTP says`, async () => {
      answers(status, '<html>sorry</html>', { 'Content-Type': 'text/html', 'Retry-After': '3' });

      const answer = await send();

      expect(answer.signals).to.deep.equal([`${status}`]);
      expect(answer.otherwise).to.equal(otherwise);
      expect(answer.retryAfterMs).to.equal(3_000);
    });
  }

  it('does not guess what an empty 202 means, but lets verdicts say it', async () => {
    answers(202, '', {});

    const answer = await send();

    expect(answer.signals).to.deep.equal(['202']);
    expect(answer.otherwise).to.equal('answer-unreadable');
  });

  it('reads an answer in the charset it declares', async () => {
    const text = envelope(FAULT['1.1']('s:Client', 'COMPLÈTE')).replace('UTF-8', 'ISO-8859-1');
    far.onRequest = (socket) => socket.write(response(500, Buffer.from(text, 'latin1'), XML));

    const answer = await send({ code: CODE_PATH['1.1'] });

    expect(answer.signals[0]).to.equal('fault/Client/COMPLÈTE');
  });
});
