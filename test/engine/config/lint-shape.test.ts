import { lintTable } from './lint-table.ts';

lintTable('problems with the shape of routes.yaml', [
  {
    finds: 'YAML that cannot be read',
    in: [['routes.yaml', 'when: { hospital: north }', 'when: { hospital: north']],
    says: ['routes.yaml:44:5  error  '],
  },
  {
    finds: 'a tag of YAML',
    in: [['routes.yaml', 'timeout: 5s', 'timeout: !seconds 5']],
    says: ['routes.yaml:24:14  error  Unresolved tag: !seconds'],
  },
  {
    finds: 'an unknown key',
    in: [['routes.yaml', '    retry:', '    retires:']],
    says: [
      'routes.yaml:55:5  error  retires is not a key of routes.to-north  Write one of from, when, lane, render, to, answer, retry, onDead instead.',
    ],
  },
  {
    finds: 'an unknown key of a kind',
    in: [['routes.yaml', '    maxInFlight: 4', '    maxInflight: 4']],
    says: [
      'routes.yaml:25:5  error  maxInflight is not a key of channels.north-out  Did you mean maxInFlight?',
    ],
  },
  {
    finds: 'a missing key',
    in: [['routes.yaml', '    queue: bookings\n', '']],
    says: ['routes.yaml:6:3  error  channels.dawy-in lacks queue  Add queue.'],
  },
  {
    finds: 'a missing address',
    in: [['routes.yaml', '    address: ${env:NORTH_URL}\n', '']],
    says: [
      'routes.yaml:19:3  error  channels.north-out lacks address  Add address: https://his.example, for example.',
    ],
  },
  {
    finds: 'an inbound channel without read',
    in: [
      [
        'routes.yaml',
        '    read:\n      as: json\n      type: /type\n      schema: schemas/{type}.json\n      id: amqp.messageId\n      hospital: /booking/hospital\n      booking: /booking/reference\n      learn: { slotStart: /slot/start, doctor: /doctors }\n      search: { doctor: /doctor/id, patient: { at: /patient/id, private: true } }\n',
        '',
      ],
    ],
    says: ['routes.yaml:6:3  error  channels.dawy-in lacks read  Add read.'],
  },
  {
    finds: 'a wrong type',
    in: [['routes.yaml', 'maxInFlight: 4', "maxInFlight: 'four'"]],
    says: ['routes.yaml:25:18  error  channels.north-out.maxInFlight must be a whole number'],
  },
  {
    finds: 'a text that YAML makes a number',
    in: [['routes.yaml', 'exchange: his.events', 'exchange: 0123']],
    says: ["routes.yaml:39:15  error  channels.dawy-out.exchange must be a text  Write '0123' instead."],
  },
  {
    finds: 'a list where a mapping must stand',
    in: [['routes.yaml', 'retry: { first: 1s, max: 5m, for: 24h, notAfter: /slot/start }', 'retry: [1s]']],
    says: ['routes.yaml:55:12  error  routes.to-north.retry must be a mapping of keys and values'],
  },
  {
    finds: 'a number below the least',
    in: [['routes.yaml', 'maxInFlight: 4', 'maxInFlight: 0']],
    says: ['routes.yaml:25:18  error  channels.north-out.maxInFlight must be at least 1'],
  },
  {
    finds: 'a duration without a unit',
    in: [['routes.yaml', 'timeout: 5s', "timeout: '5'"]],
    says: [
      'routes.yaml:24:14  error  channels.north-out.timeout must be a duration with its unit  Write it like 500ms, 10s, 5m or 24h.',
    ],
  },
  {
    finds: 'a duration of a kind without a unit',
    in: [['routes.yaml', 'exchange: his.events', 'exchange: his.events\n    confirmTimeout: soon']],
    says: [
      'routes.yaml:40:21  error  channels.dawy-out.confirmTimeout must be a duration with its unit  Write it like 500ms, 10s, 5m or 24h.',
    ],
  },
  {
    finds: 'a size without a unit',
    in: [['routes.yaml', '    queue: bookings', '    queue: bookings\n    maxBytes: 1 MB']],
    says: [
      'routes.yaml:10:15  error  channels.dawy-in.maxBytes must be a size with its unit  Write it like 64KB or 1MB.',
    ],
  },
  {
    finds: 'a wrong version',
    in: [['routes.yaml', 'version: 1', 'version: 2']],
    says: ['routes.yaml:1:10  error  version must be 1  Write 1 instead.'],
  },
  {
    finds: 'a time zone that does not exist',
    in: [['routes.yaml', 'Asia/Riyadh', 'Asia/Riad']],
    says: [
      'routes.yaml:4:22  error  systems.north.timeZone is no time zone  Write an IANA name like Asia/Riyadh instead.',
    ],
  },
  {
    finds: 'an unknown kind',
    in: [['routes.yaml', 'kind: rest', 'kind: resst']],
    says: ['routes.yaml:21:11  error  resst is not a value of channels.north-out.kind  Did you mean rest?'],
  },
  {
    finds: 'an address that is none',
    in: [['routes.yaml', 'address: ${env:NORTH_URL}', 'address: north.example']],
    says: [
      'routes.yaml:22:14  error  channels.north-out.address is not written as it must be  Write it like https://his.example.',
    ],
  },
  {
    finds: 'a misspelt word in a condition',
    in: [['routes.yaml', '{ hospital: north }', '{ hopsital: north }']],
    says: ['routes.yaml:43:13  error  '],
  },
  {
    finds: 'an unknown word for repeats',
    in: [['routes.yaml', 'repeats: probe', 'repeats: probes']],
    says: [
      'routes.yaml:26:14  error  probes is not a value of channels.north-out.repeats  Did you mean probe?',
    ],
  },
]);
