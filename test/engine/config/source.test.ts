import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../engine/config/compile.ts';
import { readFolder, remembering } from '../../../engine/config/source.ts';
import { ENV, FILES, kinds } from './network.ts';

describe('the files of a configuration', () => {
  let root = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hisbridge-config-'));
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('are read from a folder', () => {
    const source = readFolder(root);
    expect(source.read('find.json.yaml')).to.equal('{}\n');
    expect(source.list('schemas')).to.deep.equal(['booking.cancel-requested.json', 'booking.requested.json']);
  });

  it('are absent where there is no such file or folder', () => {
    const source = readFolder(root);
    expect(source.read('schemas')).to.equal(null);
    expect(source.read('none.yaml')).to.equal(null);
    expect(source.read('find.json.yaml/none')).to.equal(null);
    expect(source.list('none')).to.deep.equal([]);
    expect(source.list('find.json.yaml')).to.deep.equal([]);
  });

  it('make the same plan from a folder as from memory', () => {
    const result = compile({ ...readFolder(root), env: ENV, kinds });
    expect(result.kind).to.equal('plan');
  });

  it('say whether anything that was looked at is different, also what was not there', () => {
    const change = [
      () => writeFileSync(join(root, 'routes.yaml'), `${FILES['routes.yaml']}\n`),
      () => writeFileSync(join(root, 'cancel.json.yaml'), '{}'),
      () => writeFileSync(join(root, 'schemas/booking.moved.json'), '{"type":"object"}'),
      () => rmSync(join(root, 'codes/status.yaml')),
    ];
    for (const [index, act] of change.entries()) {
      const source = remembering(readFolder(root));
      compile({ ...source, env: ENV, kinds });
      expect(source.changed(), `before change ${index}`).to.equal(false);
      act();
      expect(source.changed(), `after change ${index}`).to.equal(true);
    }
  });

  it('notice a file that was missing and comes', () => {
    rmSync(join(root, 'cancel.json.yaml'));
    const source = remembering(readFolder(root));
    expect(compile({ ...source, env: ENV, kinds }).kind).to.equal('problems');
    writeFileSync(join(root, 'cancel.json.yaml'), '{}');
    expect(source.changed()).to.equal(true);
  });

  it('are different as long as one of them could not be looked at', () => {
    rmSync(join(root, 'cancel.json.yaml'));
    symlinkSync('cancel.json.yaml', join(root, 'cancel.json.yaml'));
    const source = remembering(readFolder(root));
    expect(() => compile({ ...source, env: ENV, kinds })).to.throw(/ELOOP/);
    expect(source.changed()).to.equal(true);
    rmSync(join(root, 'cancel.json.yaml'));
    expect(source.changed()).to.equal(true);
  });

  it('do not notice files that nobody names', () => {
    const source = remembering(readFolder(root));
    compile({ ...source, env: ENV, kinds });
    writeFileSync(join(root, 'notes.md'), 'mine');
    expect(source.changed()).to.equal(false);
  });
});
