import { DEFAULT_LIMITS, type FormCodec, type Limits } from '../forms/form.ts';
import { BOOKINGS, type ChannelName, ENGINE, type Message } from '../message.ts';
import { unwrap } from './cloud-events.ts';
import type { FormName } from './config.ts';
import type { Schemas } from './schemas.ts';

/** What a route must know of where its messages come from. */
export interface Origin {
  readonly name: ChannelName;
  readonly form: FormName;
  readonly schemas: Schemas;
  /** The hospital that all its messages are about; null when each says its own. */
  readonly hospital: string | null;
  /** Whether its messages name the booking that orders them. */
  readonly ordered: boolean;
  /** Whether its messages are made here. */
  readonly isBuiltIn: boolean;
  /** The decoded body of a kept message, whether it is still bytes or not. Throws a BridgeError. */
  readonly bodyOf: (message: Message) => unknown;
}

/** An origin whose bodies are of one form. */
export function origin(
  name: ChannelName,
  codec: FormCodec,
  {
    limits = DEFAULT_LIMITS,
    ...rest
  }: Pick<Origin, 'form' | 'schemas' | 'hospital' | 'ordered' | 'isBuiltIn'> & { readonly limits?: Limits },
): Origin {
  return {
    name,
    ...rest,
    bodyOf: ({ body, headers }) => {
      if (!(body instanceof Uint8Array)) return body;
      const decoded = codec.decode(body, limits);
      return rest.form === 'json' ? unwrap(decoded, headers).body : decoded;
    },
  };
}

/** The sources nobody configures: what bookings say, and what the engine says. */
export function builtInOrigins(json: FormCodec): readonly Origin[] {
  const schemas: Schemas = { types: null, of: () => null };
  const builtIn = { form: 'json', schemas, hospital: null, ordered: true, isBuiltIn: true } as const;
  return [
    origin(BOOKINGS, json, builtIn),
    // Refusals and dead letters change nothing: most of them know no booking that could order them.
    origin(ENGINE, json, builtIn),
  ];
}
