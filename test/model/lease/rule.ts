import { LEASE_MS } from '../../../engine/store.ts';
import { Lanes } from '../lane/rule.ts';

/** One instance from its joining to its end. */
export interface Member {
  readonly number: number;
  /** It is among the living, as far as the others have noticed. */
  isListed: boolean;
  /** Its process has ended: the lock that showed it alive is free. */
  isGone: boolean;
  /** Milliseconds since its last beat. */
  age: number;
  graceMs: number;
  honours: number | null;
}

/** What a beat tells. */
export interface Told {
  readonly living: readonly number[];
  readonly honoured: number;
  readonly recovered: { readonly queued: number; readonly ambiguous: number };
}

/**
 * Instances as the agreement says them: gone when the lock is free, frozen when the beat is older than lease and
 * send deadline; whoever was away as long itself says of no one that it is frozen. What the lost had goes back.
 */
export class Living {
  /** The deliveries, each in a lane of its own; owners are the numbers of members. */
  readonly lanes = new Lanes();
  readonly members: Member[] = [];

  join(): Member {
    const number = this.members.length;
    const member = { number, isListed: true, isGone: false, age: 0, graceMs: 0, honours: null };
    this.members.push(member);
    return member;
  }

  get listed(): readonly Member[] {
    return this.members.filter(({ isListed }) => isListed);
  }

  pass(ms: number): void {
    for (const member of this.members) member.age += ms;
  }

  /** Null: it was declared lost meanwhile. */
  beat(me: Member, report: { readonly honours: number; readonly graceMs: number }): Told | null {
    if (!me.isListed) return null;
    for (const other of this.listed) {
      const isFrozen = me.age < LEASE_MS && other.age > LEASE_MS + other.graceMs;
      if (other !== me && (other.isGone || isFrozen)) other.isListed = false;
    }
    Object.assign(me, { age: 0, ...report });
    const orphans = this.lanes.open.filter(({ owner }) => owner !== null && !this.members[owner]!.isListed);
    for (const place of orphans) this.lanes.giveBack(place);
    return {
      living: this.listed.map(({ number }) => number),
      honoured: Math.min(...this.listed.flatMap(({ honours }) => (honours === null ? [] : [honours]))),
      recovered: {
        queued: orphans.length,
        ambiguous: orphans.filter(({ stored }) => stored !== null).length,
      },
    };
  }

  leave(me: Member): void {
    me.isListed = false;
    me.isGone = true;
    for (const place of this.lanes.open) if (place.owner === me.number) this.lanes.giveBack(place);
  }
}
