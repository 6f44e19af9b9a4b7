import { lintTable } from './lint-table.ts';

lintTable('problems with what a route or a channel does', [
  {
    finds: 'a path of another form',
    in: [['routes.yaml', 'hospital: /booking/hospital', 'hospital: booking.hospital']],
    says: ['routes.yaml:15:17  error  '],
  },
  {
    finds: 'a path of another form in a condition',
    in: [['routes.yaml', '{ /status: CANCELLED }', '{ status: CANCELLED }']],
    says: ['routes.yaml:53:21  error  '],
  },
  {
    finds: 'a path of another form in learn',
    in: [['routes.yaml', 'reason: /why', 'reason: why']],
    says: ['routes.yaml:50:42  error  '],
  },
  {
    finds: 'a lane of another form',
    in: [['routes.yaml', '    to: north-out', '    lane: patient\n    to: north-out']],
    says: ['routes.yaml:47:11  error  '],
  },
  {
    finds: 'a lane for what is made here',
    in: [['routes.yaml', '    from: bookings', '    from: bookings\n    lane: /booking/hospital']],
    says: [
      'routes.yaml:58:5  error  what bookings says is ordered by its booking, and by nothing else  Leave lane: out.',
    ],
  },
  {
    finds: 'a deadline of another form',
    in: [['routes.yaml', 'notAfter: /slot/start', 'notAfter: slot/start']],
    says: ['routes.yaml:55:54  error  '],
  },
  {
    finds: 'a code of another form than the answer',
    in: [['routes.yaml', 'code: /code\n', 'code: Body/Code\n']],
    says: ['routes.yaml:23:11  error  '],
  },
  {
    finds: 'an event that Dawy does not know',
    in: [['routes.yaml', 'event: booking.cancelled', 'event: booking.canceled']],
    says: [
      'routes.yaml:53:50  error  booking.canceled is not a value of routes.to-north.answer.becomes.1.event  Did you mean booking.cancelled?',
    ],
  },
  {
    finds: 'a name that bookings do not learn',
    in: [['routes.yaml', 'learn: { reason: /code }', 'learn: { raeson: /code }']],
    says: [
      'routes.yaml:52:110  error  raeson is not a key of routes.to-north.answer.becomes.0.learn  Did you mean reason?',
    ],
  },
  {
    finds: 'an unknown verdict',
    in: [['routes.yaml', '409/TAKEN: declined', '409/TAKEN: decline']],
    says: [
      'routes.yaml:35:18  error  decline is not a value of channels.north-out.verdicts.409/TAKEN  Did you mean declined?',
    ],
  },
  {
    finds: 'an unknown verdict of a probe',
    in: [['routes.yaml', 'verdict: absent', 'verdict: gone']],
    says: [
      'routes.yaml:32:47  error  gone is not a value of channels.north-out.probe.says.1.verdict  Write one of taken, declined, absent instead.',
    ],
  },
  {
    finds: 'repeats: probe without a probe',
    in: [
      ['routes.yaml', 'repeats: probe', 'repeats: probe'],
      [
        'routes.yaml',
        "    probe:\n      settleAfter: 2s\n      render: { template: find.json.yaml, method: GET, path: '/appointments/{{message.booking.reference}}' }\n      says:\n        - { when: { /found: true }, verdict: taken }\n        - { when: { /found: false }, verdict: absent }\n",
        '',
      ],
    ],
    says: [
      'routes.yaml:26:14  error  channels.north-out says repeats: probe and no probe  Add probe: with the question, or write unsafe instead.',
    ],
  },
  {
    finds: 'a probe that is never used',
    in: [['routes.yaml', '    repeats: probe\n', '']],
    says: [
      'routes.yaml:26:5  error  channels.north-out has a probe that is never used  Write repeats: probe, or take the probe out.',
    ],
  },
  {
    finds: 'says without absent',
    in: [['routes.yaml', 'verdict: absent', 'verdict: declined']],
    says: [
      'routes.yaml:30:7  error  no entry of says is absent  Add an entry with verdict: absent; without it nothing is ever sent again.',
    ],
  },
  {
    finds: 'an outbound channel without verdicts where the kind has none',
    in: [['routes.yaml', '    verdicts:\n      201: taken\n      409/TAKEN: declined\n', '']],
    says: ['routes.yaml:19:3  error  channels.north-out lacks verdicts  Add verdicts.'],
  },
  {
    finds: 'a route that changes bookings without a lane',
    in: [['routes.yaml', '      booking: /booking/reference\n', '']],
    says: [
      'routes.yaml:40:3  error  routes.to-north carries booking.cancel-requested without a lane: two changes of a booking could overtake each other  Add booking: to channels.dawy-in.read, or lane: to the route.',
    ],
  },
  {
    finds: 'a route whose types have nothing in common',
    in: [
      ['routes.yaml', 'when: { hospital: north }', 'when: { type: booking.cancel-requested }'],
      [
        'routes.yaml',
        "      booking.cancel-requested: { template: cancel.json.yaml, path: '/appointments/{{booking.hospitalRef}}/cancel' }\n",
        '',
      ],
      ['routes.yaml', 'asked: booking.requested', 'asked: booking.cancel-requested'],
    ],
    says: [
      'routes.yaml:41:3  error  no message can take routes.to-north: its source, when and render have no type in common  Let when.type and render name the same types.',
    ],
  },
  {
    finds: 'a first pause longer than the longest',
    in: [['routes.yaml', 'first: 1s', 'first: 6m']],
    says: [
      'routes.yaml:55:21  error  the first pause is longer than the longest  Make first at most max (10m when left out).',
    ],
  },
  {
    finds: 'a longest pause beyond the whole time',
    in: [['routes.yaml', 'for: 24h', 'for: 1m']],
    says: [
      'routes.yaml:55:30  error  the longest pause is longer than the whole time  Make max (10m when left out) at most for (24h when left out).',
    ],
  },
  {
    finds: 'an answer that learns from what only an arrival has',
    in: [['routes.yaml', 'reason: /why', 'reason: amqp.type']],
    says: ['routes.yaml:50:42  error  '],
  },
  {
    finds: 'a property of another protocol as a path',
    in: [['routes.yaml', 'id: amqp.messageId', 'id: rest.messageId']],
    says: ['routes.yaml:14:11  error  '],
  },
]);
