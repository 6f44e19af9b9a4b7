import { expect } from 'chai';
import { parseDuration, parseSize } from '../../../engine/config/units.ts';

describe('units', () => {
  it('reads durations with every unit', () => {
    const durations = ['500ms', '10s', '5m', '24h', '7d'].map(parseDuration);
    expect(durations).to.deep.equal([500, 10_000, 300_000, 86_400_000, 604_800_000]);
  });

  it('reads sizes with every unit', () => {
    expect(['200B', '64KB', '1MB'].map(parseSize)).to.deep.equal([200, 65_536, 1_048_576]);
  });

  it('takes nothing that it would have to guess', () => {
    for (const text of ['', '5', '5 s', '-5s', '1.5h', '5S', '5sec', 's', '1e3s', '5s ']) {
      expect(parseDuration(text), text).to.equal(null);
    }
    for (const text of ['1', '1 MB', '1mb', '1GB', '0x1MB']) expect(parseSize(text), text).to.equal(null);
  });
});
