import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadPlan, problemsOf } from '../../engine/bridge.ts';

describe('the configuration that a bridge loads', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hisbridge-plan-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is problems and never an exception, when it leads back to itself by an alias', () => {
    writeFileSync(join(folder, 'routes.yaml'), 'version: 1\nsystems: &a\n  x: *a\n');

    expect(problemsOf(loadPlan(folder, {})).join()).to.match(/^routes\.yaml:\d+:\d+ {2}error {2}/);
  });

  it('is problems and never an exception, when a link leads back to itself', () => {
    symlinkSync('routes.yaml', join(folder, 'routes.yaml'));

    expect(problemsOf(loadPlan(folder, {})).join()).to.match(
      /^routes\.yaml:1:1 {2}error {2}the configuration cannot be read/,
    );
  });
});
