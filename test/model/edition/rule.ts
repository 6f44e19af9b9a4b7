import type { DeliveryId, EditionId } from '../../../engine/message.ts';

/** One rendering as it was first written: from then on these bytes and this key, whatever the plan says. */
export interface Fixed {
  readonly key: string;
  readonly bytes: string;
}

/** One delivery by the rule. */
export interface Parcel {
  readonly id: DeliveryId;
  edition: EditionId;
  fixed: Fixed | null;
  /** Keys of editions that are over: never used again. */
  readonly spent: Set<string>;
  stands: 'queued' | 'held' | 'dead' | 'ended';
  /** An earlier send of this edition may have been taken. */
  mayBeTaken: boolean;
}

/** What the channel says of repeats. */
export type Repeats = 'recognized' | 'probe' | 'unsafe';

/** What one attempt does towards the hospital by the rule. */
export function mayDo(
  { fixed, mayBeTaken }: Parcel,
  {
    repeats,
    isOurs,
    maySend,
    canRender,
  }: {
    readonly repeats: Repeats;
    readonly isOurs: boolean;
    readonly maySend: boolean;
    readonly canRender: boolean;
  },
): 'send' | 'ask' | 'nothing' {
  if (!isOurs && fixed === null) return 'nothing';
  if (!maySend || (mayBeTaken && repeats === 'unsafe')) return 'nothing';
  if (fixed === null && !canRender) return 'nothing';
  return mayBeTaken && repeats === 'probe' ? 'ask' : 'send';
}

/** Only a definite no, or a person who says "as new", lets a new edition begin. */
export function mayBeNew({ stands }: Parcel, asNew: boolean): boolean {
  return stands === 'dead' || (stands === 'held' && asNew);
}
