/** What a newcomer can do next, each with the command that does it. */
export const WAYS_ON: readonly string[] = [
  '',
  'The sandbox stays up. Four ways to go on, in a second terminal:',
  '',
  '  Publish            npx hisbridge trigger booking.requested --to alnoor --follow',
  '  Edit a template    open transforms/alnoor/request.json.yaml, change a field, save, publish again:',
  '                     the next message uses it, and a mistake is shown here as file:line:column',
  '  Open a dead letter npx hisbridge dead-letters list',
  '                     (another one: npx hisbridge sandbox break stmary wrong --times 1,',
  '                     then npx hisbridge trigger booking.requested --to stmary)',
  '  Connect a hospital docs/connect-a-hospital.md',
  '',
  'Ctrl-C ends everything; the data stays in .sandbox for the next start.',
  '',
];
