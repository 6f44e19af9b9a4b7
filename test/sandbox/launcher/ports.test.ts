import { createServer } from 'node:net';
import { expect } from 'chai';

import { portFor } from '../../../sandbox/launcher/ports.ts';
import { aFolderPerTest } from '../temporary.ts';

describe('a port of the sandbox', () => {
  const folder = aFolderPerTest();

  it('stays the same from start to start', async () => {
    const first = await portFor(folder(), 'alnoor');

    expect(await portFor(folder(), 'alnoor')).to.equal(first);
    expect(first).to.be.within(1_024, 65_535);
  });

  it('is another one when somebody else has taken it', async () => {
    const first = await portFor(folder(), 'alnoor');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(first, '127.0.0.1', resolve));

    const second = await portFor(folder(), 'alnoor');

    expect(second).not.to.equal(first);
    await new Promise((resolve) => server.close(resolve));
  });
});
