import { BridgeError } from '../errors.ts';
import { DEFAULT_LIMITS, type FormCodec, type Limits } from './form.ts';

// An output may wrap a whole message, as large and as deep as its channel allows, in something of its own.
const LIMITS: Limits = { maxBytes: Number.POSITIVE_INFINITY, maxDepth: 2 * DEFAULT_LIMITS.maxDepth };

/** The bytes of what a template rendered, after its own form has read them again; throws `output-invalid`. */
export function readAgain(file: string, codec: FormCodec, text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  try {
    codec.decode(bytes, LIMITS);
  } catch (thrown) {
    if (!(thrown instanceof BridgeError)) throw thrown;
    // The line is one of the output, which nobody has in front of them; the reason says enough.
    throw new BridgeError('output-invalid', `${file} renders what is not valid: ${thrown.message}`, {
      cause: thrown,
      details: { ...thrown.details, file },
    });
  }
  return bytes;
}
