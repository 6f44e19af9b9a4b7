import type { Answer, ChannelContext, OutboundChannel, Parcel } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { ChannelName } from '../../engine/message.ts';
import { type Address, readAddress, requestPath } from '../http/address.ts';
import { HttpClient } from '../http/client.ts';
import { checkHeaders, type Headers, merged, USUAL_HEADERS } from '../http/headers.ts';
import { readAnswer, type SoapReader, soapReader } from './answer.ts';
import type { SoapOptions } from './options.ts';

/** Posts parcels, which are whole SOAP envelopes; their template has put the key into them. */
export class SoapOutbound implements OutboundChannel {
  readonly name: ChannelName;
  readonly #options: SoapOptions;
  readonly #context: ChannelContext;
  readonly #address: Address;
  readonly #reader: SoapReader;
  readonly #client: HttpClient;

  /** Throws `config-invalid` for an address, path or header that cannot be used. */
  constructor(name: ChannelName, options: SoapOptions, context: ChannelContext) {
    this.name = name;
    this.#options = options;
    this.#context = context;
    this.#address = readAddress(name, options.address);
    checkHeaders(name, options.headers);
    this.#reader = soapReader(name, options);
    const { report, maySend } = context;
    this.#client = new HttpClient({ channel: name, origin: this.#address.origin, report, maySend });
  }

  async start(): Promise<void> {
    this.#client.start();
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }

  async send(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const { version, headers } = this.#options;
    const request = {
      method: 'POST',
      path: requestPath(this.name, this.#address, ''),
      headers: merged(USUAL_HEADERS, actionHeaders(version, this.#action(parcel)), headers),
      body: parcel.body,
    };
    const response = await this.#client.exchange(request, signal);
    return readAnswer(response, parcel.key, this.#reader, this.#context.clock.now());
  }

  /** It stands between quotes in a header; one that could end them was rendered from what it must not be. */
  #action(parcel: Parcel): string {
    const action = parcel.envelope['action'] ?? '';
    if (/^[\x21\x23-\x5b\x5d-\x7e]*$/.test(action)) return action;
    throw new BridgeError('output-invalid', `the action rendered for ${this.name} is not plain text`, {
      at: this.name,
      details: { length: action.length },
    });
  }
}

function actionHeaders(version: SoapOptions['version'], action: string): Headers {
  switch (version) {
    case '1.1':
      return { 'Content-Type': 'text/xml; charset=utf-8', Accept: 'text/xml', SOAPAction: `"${action}"` };
    case '1.2':
      return {
        'Content-Type': `application/soap+xml; charset=utf-8${action === '' ? '' : `; action="${action}"`}`,
        Accept: 'application/soap+xml',
      };
  }
}
