import { BLOWS, ODDITIES, SPELLS } from './disturbances.ts';

/** Everything that goes wrong, by name: each must really have happened in a run of many histories. */
export const DISTURBANCES: readonly string[] = [
  ...Object.keys(SPELLS),
  ...Object.keys(BLOWS),
  ...Object.keys(ODDITIES),
];

/** What the engine is there to bear: histories in which none of it came about would prove nothing. */
export const ESSENTIALS: Readonly<Record<string, string>> = {
  'took over what may have been sent': 'an instance took over what another may have sent',
  'instance-fenced': 'an instance was declared lost and joined anew',
  'settle-fenced': 'an instance came with the outcome of what was no longer its own',
  'orphans-released': 'an instance gave back what it owned and did not hold',
  'message-duplicate': 'a repeat of an arrival was recognized',
  'repeat recognized': 'a hospital recognized a repeat',
  'a probe says absent': 'a hospital was asked and did not have it',
  'a probe says taken': 'a hospital was asked and had it',
  'settled as held': 'a delivery was put before a person, because it may have been taken',
  'settled as dead': 'a delivery was put before a person, because it cannot succeed',
  'settled as queued': 'a delivery was tried again',
  'breaker open': 'a hospital that was away was left alone',
  'breaker half-open': 'a hospital that was away was tried with one delivery',
  'breaker closed': 'a hospital was back',
  'looked up and found': 'a COMMIT without a reply was found',
  'looked up and not found': 'a COMMIT without a reply had not happened and was run again',
  'given up though written': 'a COMMIT without a reply was never found out',
  'claim unheard': 'deliveries were claimed and nobody heard',
  'refused stranded': 'a message came too late by the dead-letter queue',
  'refused booking-out-of-turn': 'a request made no sense for its booking',
  'refused id-reused': 'an id was used for another body',
  'refused route-missing': 'an instance had no route for a message',
  'refused body-unreadable': 'a body could not be read',
  'slot taken': 'a hospital said no',
  'store-back': 'the database was away and came back',
};
