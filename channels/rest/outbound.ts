import type { Answer, ChannelContext, OutboundChannel, Parcel } from '../../engine/channel.ts';
import type { ChannelName } from '../../engine/message.ts';
import { type Address, readAddress, requestPath } from '../http/address.ts';
import { HttpClient } from '../http/client.ts';
import { checkHeaders, merged, USUAL_HEADERS } from '../http/headers.ts';
import { type RestReader, readAnswer, restReader } from './answer.ts';
import type { RestOptions } from './options.ts';

const MEDIA_TYPE = { json: 'application/json', xml: 'application/xml; charset=utf-8' };

/** Sends parcels as HTTP requests: the method and path of the envelope, the key in a header. */
export class RestOutbound implements OutboundChannel {
  readonly name: ChannelName;
  readonly #options: RestOptions;
  readonly #context: ChannelContext;
  readonly #address: Address;
  readonly #reader: RestReader;
  readonly #client: HttpClient;

  /** Throws `config-invalid` for an address, path or header that cannot be used. */
  constructor(name: ChannelName, options: RestOptions, context: ChannelContext) {
    this.name = name;
    this.#options = options;
    this.#context = context;
    this.#address = readAddress(name, options.address);
    checkHeaders(name, { ...options.headers, [options.keyHeader]: '' });
    this.#reader = restReader(name, options);
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
    const { form, headers, keyHeader } = this.#options;
    const mediaType = MEDIA_TYPE[form];
    const request = {
      method: parcel.envelope['method'] ?? 'POST',
      path: requestPath(this.name, this.#address, parcel.envelope['path'] ?? ''),
      headers: merged(USUAL_HEADERS, { 'Content-Type': mediaType, Accept: mediaType }, headers, {
        [keyHeader]: parcel.key,
      }),
      body: parcel.body,
    };
    const response = await this.#client.exchange(request, signal);
    return readAnswer(response, parcel.key, this.#reader, this.#context.clock.now());
  }
}
