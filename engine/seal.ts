/**
 * Guards the columns that may hold patient data. A sealed value begins with its format byte:
 * 0 is plain, 1 is AES-256-GCM with the id of its key. The id of the row is bound to the value,
 * so that it cannot be moved to another row.
 */
export interface Seal {
  seal(rowId: string, plain: Uint8Array): Buffer;
  open(rowId: string, sealed: Uint8Array): Buffer;
}

const PLAIN = 0;

/** Keeps values readable. For use until encryption is configured. */
export const plainSeal: Seal = {
  seal(_rowId, plain) {
    const sealed = Buffer.allocUnsafe(plain.byteLength + 1);
    sealed[0] = PLAIN;
    sealed.set(plain, 1);
    return sealed;
  },
  open(_rowId, sealed) {
    if (sealed[0] !== PLAIN) throw new RangeError(`a sealed value has the unknown format ${sealed[0]}`);
    return Buffer.from(sealed.buffer, sealed.byteOffset + 1, sealed.byteLength - 1);
  },
};
