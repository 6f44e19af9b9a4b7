import { lintTable } from './lint-table.ts';

lintTable('problems with names', [
  {
    finds: 'two systems of one name',
    in: [['routes.yaml', '  north: {', '  dawy: {']],
    says: ['routes.yaml:4:3  error  dawy is there twice  Give it a name of its own.'],
  },
  {
    finds: 'two routes of one name',
    in: [['routes.yaml', '  tell-dawy:', '  to-north:']],
    says: ['routes.yaml:56:3  error  to-north is there twice  Give it a name of its own.'],
  },
  {
    finds: 'a name that cannot be one',
    in: [['routes.yaml', '  tell-dawy:', '  Tell_Dawy:']],
    says: [
      'routes.yaml:56:3  error  Tell_Dawy cannot be a name  Write a name of small letters, digits and hyphens instead.',
    ],
  },
  {
    finds: 'the name of a built-in channel',
    in: [
      ['routes.yaml', '  dawy-out:', '  bookings:'],
      ['routes.yaml', '    to: dawy-out', '    to: bookings'],
    ],
    says: [
      'routes.yaml:36:3  error  bookings is the name of a built-in channel  Give the channel another name.',
    ],
  },
  {
    finds: 'a system that is none',
    in: [['routes.yaml', '    system: north\n', '    system: nort\n']],
    says: ['routes.yaml:20:13  error  nort is not a system  Did you mean north?'],
  },
  {
    finds: 'a source that is none',
    in: [['routes.yaml', 'from: dawy-in', 'from: dawy-im']],
    says: ['routes.yaml:42:11  error  dawy-im is not a channel  Did you mean dawy-in?'],
  },
  {
    finds: 'a source that only sends',
    in: [['routes.yaml', 'from: dawy-in', 'from: dawy-out']],
    says: [
      'routes.yaml:42:11  error  dawy-out is outbound: it brings no messages  Write one of dawy-in, bookings, engine instead.',
    ],
  },
  {
    finds: 'a destination that is none',
    in: [['routes.yaml', 'to: north-out', 'to: nroth-out']],
    says: ['routes.yaml:47:9  error  nroth-out is not a channel  Did you mean north-out?'],
  },
  {
    finds: 'a destination that only receives',
    in: [['routes.yaml', 'to: dawy-out', 'to: dawy-in']],
    says: [
      'routes.yaml:59:9  error  dawy-in is inbound: nothing can be sent to it  Write one of north-out, dawy-out instead.',
    ],
  },
  {
    finds: 'a hospital in when that is no system',
    in: [['routes.yaml', 'hospital: north }', 'hospital: nrth }']],
    says: ['routes.yaml:43:23  error  nrth is not a system  Did you mean north?'],
  },
  {
    finds: 'a type in when that has no schema',
    in: [
      ['routes.yaml', 'when: { hospital: north }', 'when: { type: [booking.requested, booking.requestd] }'],
    ],
    says: ['routes.yaml:43:39  error  dawy-in has no type booking.requestd  Did you mean booking.requested?'],
  },
  {
    finds: 'a template for a type without a schema',
    in: [['routes.yaml', 'booking.cancel-requested: {', 'booking.cancel-reqested: {']],
    says: [
      'routes.yaml:46:7  error  dawy-in has no type booking.cancel-reqested  Did you mean booking.cancel-requested?',
    ],
  },
  {
    finds: 'an asked type that is never sent',
    in: [['routes.yaml', 'asked: booking.requested', 'asked: booking.reqested']],
    says: ['routes.yaml:52:54  error  booking.reqested is never sent here  Did you mean booking.requested?'],
  },
  {
    finds: 'a hospital that the source is never about',
    in: [['routes.yaml', '      hospital: /booking/hospital\n', '']],
    says: [
      'routes.yaml:42:23  error  every message of dawy-in is about dawy, so routes.to-north takes none  Write dawy, or add hospital: to the read of the channel.',
    ],
  },
  {
    finds: 'a channel that no route uses',
    in: [
      [
        'routes.yaml',
        '  tell-dawy:\n    from: bookings\n    render: event.json.yaml\n    to: dawy-out\n',
        '',
      ],
    ],
    says: ['routes.yaml:36:3  warning  no route uses the channel dawy-out  Add a route, or take it out.'],
  },
  {
    finds: 'a system that nothing names',
    in: [['routes.yaml', '  north: {', '  south: {}\n  north: {']],
    says: ['routes.yaml:4:3  warning  nothing names the system south  Add a channel to it, or take it out.'],
  },
  {
    finds: 'a type that no route takes',
    in: [
      [
        'routes.yaml',
        "      booking.cancel-requested: { template: cancel.json.yaml, path: '/appointments/{{booking.hospitalRef}}/cancel' }\n",
        '',
      ],
    ],
    says: [
      'routes.yaml:13:7  warning  no route takes booking.cancel-requested from dawy-in  Add a route for it, or take its schema out.',
    ],
  },
]);
