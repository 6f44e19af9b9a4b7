import { expect } from 'chai';
import { compileText } from '../../../engine/forms/expression.ts';
import { refusal } from './refused.ts';
import { CODES, scopeOf } from './scope.ts';

function compiled(text: string, values: 'uri' | 'none' = 'uri') {
  const result = compileText('routes.yaml', 10, 20, text, values, CODES);
  return result.kind === 'text' ? result : expect.fail(JSON.stringify(result.problems));
}

const path = (hospitalRef: string): string =>
  compiled('/appointments/{{booking.hospitalRef}}/cancel').render(scopeOf({}, { hospitalRef }));

describe('texts of routes.yaml with expressions', () => {
  it('are rendered, with values that cannot leave their place in a URI', () => {
    expect(path('AN-000017')).to.equal('/appointments/AN-000017/cancel');
    expect(path('a/../b?c=d#e%20 é')).to.equal('/appointments/a%2F..%2Fb%3Fc%3Dd%23e%2520%20%C3%A9/cancel');
  });

  it('refuse a value that would make another path, without showing it', () => {
    for (const value of ['', '.', '..', 'x\ud800']) {
      const error = refusal(() => path(value));
      expect(error.code).to.equal('render-failed');
      expect(error.details).to.deep.equal({
        file: 'routes.yaml',
        line: 10,
        column: 36,
        path: 'booking.hospitalRef',
      });
    }
  });

  it('refuse a line break where a header would begin', () => {
    const action = compiled('Book{{message.kind}}', 'none');
    expect(action.render(scopeOf({ kind: ' A&B' }))).to.equal('Book A&B');
    expect(refusal(() => action.render(scopeOf({ kind: 'A\r\nX: y' }))).code).to.equal('render-failed');
  });

  it('say where in routes.yaml they read', () => {
    expect(compiled('/a/{{booking.hospitalRef}}').reads).to.deep.equal([
      { path: ['booking', 'hospitalRef'], line: 10, column: 25, optional: false },
    ]);
  });

  it('say what is wrong with them, and where', () => {
    const result = compileText('routes.yaml', 10, 20, '/a/{{booking.ref}}', 'uri', CODES);
    expect(result)
      .to.have.nested.property('problems[0]')
      .that.includes({ file: 'routes.yaml', line: 10, column: 25 });
  });
});
