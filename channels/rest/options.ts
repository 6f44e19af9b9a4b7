import { headersOption } from '../http/headers.ts';

/** What routes.yaml says about a channel of kind `rest`, defaults filled in. */
export interface RestOptions {
  readonly address: string;
  readonly form: 'json' | 'xml';
  readonly code?: string;
  readonly echo?: string;
  readonly keyHeader: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const REST_OPTIONS = {
  type: 'object',
  required: ['address'],
  additionalProperties: false,
  properties: {
    address: {
      type: 'string',
      pattern: '^https?://',
      description: 'The URL that the `path` of a route is appended to. Redirects are not followed.',
      examples: ['https://his.example/api/v1'],
    },
    form: {
      enum: ['json', 'xml'],
      default: 'json',
      description: 'The form of requests and answers.',
    },
    code: {
      type: 'string',
      description:
        'Where an answer says more than its status, as a path of its form. `verdicts:` then may say `409/SLOT_TAKEN`.',
      examples: ['/code'],
    },
    echo: {
      type: 'string',
      description:
        'Where an answer repeats our key, as a path of its form. An answer with another key belongs to another message and counts as none; one without a key is taken as ours.',
      examples: ['/requestKey'],
    },
    keyHeader: {
      type: 'string',
      pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
      default: 'Idempotency-Key',
      description: 'The header that carries the key by which the far side recognizes a repeat.',
    },
    headers: headersOption,
  },
};

export const REST_ENVELOPE = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'],
      default: 'POST',
      description: 'The HTTP method.',
    },
    path: {
      type: 'string',
      pattern: '^/',
      description:
        'Appended to the address of the channel. May hold expressions: `/appointments/{{booking.hospitalRef}}/cancel`.',
    },
  },
};
