import { headersOption } from '../http/headers.ts';

/** What routes.yaml says about a channel of kind `soap`, defaults filled in. */
export interface SoapOptions {
  readonly address: string;
  readonly version: '1.1' | '1.2';
  readonly code?: string;
  readonly echo?: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const SOAP_OPTIONS = {
  type: 'object',
  required: ['address'],
  additionalProperties: false,
  properties: {
    address: {
      type: 'string',
      pattern: '^https?://',
      description: 'The URL of the service. Redirects are not followed.',
      examples: ['https://his.example/services/appointments'],
    },
    version: {
      enum: ['1.1', '1.2'],
      default: '1.1',
      description:
        'The version of SOAP. It decides the content type and how the action is said; faults of both are read.',
    },
    code: {
      type: 'string',
      description:
        'Where a fault says more than its class, as a path. `verdicts:` then may say `fault/Client/SLOT_TAKEN`.',
      examples: ['Body/Fault/detail/Code'],
    },
    echo: {
      type: 'string',
      description:
        'Where an answer repeats our key, as a path. An answer with another key belongs to another message and counts as none; one without a key is taken as ours.',
      examples: ['Header/RelatesTo'],
    },
    headers: headersOption,
  },
};

export const SOAP_ENVELOPE = {
  type: 'object',
  required: ['action'],
  additionalProperties: false,
  properties: {
    action: {
      type: 'string',
      pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]*$',
      description: 'The SOAP action of the operation.',
      examples: ['BookAppointment'],
    },
  },
};
