import { expect } from 'chai';

import { retryAfter } from '../../../channels/http/status.ts';

const NOW = new Date('2026-12-02T05:00:00Z');
const DAY_MS = 86_400_000;

describe('Retry-After', () => {
  const cases = [
    { value: '7', ms: 7_000, because: 'it is in seconds' },
    { value: ' 0 ', ms: 0, because: 'now is allowed' },
    { value: 'Wed, 02 Dec 2026 05:01:00 GMT', ms: 60_000, because: 'it may be a date' },
    { value: 'Wed, 02 Dec 2026 04:00:00 GMT', ms: 0, because: 'that moment is over' },
    { value: '999999999', ms: DAY_MS, because: 'a day is the longest we wait' },
    { value: 'Wed, 02 Dec 2099 05:00:00 GMT', ms: DAY_MS, because: 'a day is the longest we wait' },
    { value: '-5', ms: null, because: 'that is no number of seconds' },
    { value: '1.5', ms: null, because: 'seconds are whole' },
    { value: '99999999999999999999', ms: null, because: 'that is no time' },
    { value: 'soon', ms: null, because: 'that is prose' },
    { value: '2026-12-02', ms: null, because: 'HTTP writes dates otherwise' },
    { value: 'Wed, 99 Dec 2026 05:00:00 GMT', ms: null, because: 'there is no such day' },
    { value: '', ms: null, because: 'it says nothing' },
    { value: undefined, ms: null, because: 'it is not there' },
  ];

  for (const { value, ms, because } of cases) {
    it(`of ${JSON.stringify(value)} is ${ms} ms: ${because}`, () => {
      expect(retryAfter(value, NOW)).to.equal(ms);
    });
  }
});
