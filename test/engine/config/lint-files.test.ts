import { lintTable } from './lint-table.ts';

lintTable('problems with files, schemas and secrets', [
  {
    finds: 'a variable that is not set',
    in: [['routes.yaml', '${env:NORTH_URL}', '${env:SOUTH_URL}']],
    says: [
      'routes.yaml:22:14  error  the environment variable SOUTH_URL is not set  Set SOUTH_URL before starting, or correct the name.',
    ],
  },
  {
    finds: 'a reference of another syntax',
    in: [['routes.yaml', '${env:NORTH_URL}', '${NORTH_URL}']],
    says: [
      'routes.yaml:22:14  error  ${NORTH_URL} is no reference to a secret  Write ${env:NORTH_URL} instead.',
    ],
  },
  {
    finds: 'a secret file that is not there',
    in: [['routes.yaml', '${env:NORTH_URL}', '${file:secrets/north}']],
    says: ['routes.yaml:22:14  error  the file secrets/north is not there  Create it, or correct the path.'],
  },
  {
    finds: 'a password in routes.yaml',
    in: [['routes.yaml', "'${env:AMQP_URL}'", 'amqp://guest:hidden@broker']],
    says: [
      'routes.yaml:3:17  error  systems.dawy.amqp holds a password  Put the address into an environment variable and write ${env:NAME} instead.',
    ],
  },
  {
    finds: 'a schema that cannot be read',
    in: [['schemas/booking.requested.json', '"type":"object"', '"type":"objekt"']],
    says: ['schemas/booking.requested.json:1:9  error  '],
  },
  {
    finds: 'a folder without a schema',
    in: [['routes.yaml', 'schemas/{type}.json', 'schemas/{type}.schema.json']],
    says: [
      'routes.yaml:13:15  error  no file is named schemas/{type}.schema.json  Add a schema for every type, or correct the path.',
    ],
  },
  {
    finds: 'a type in the folder of a schema',
    in: [['routes.yaml', 'schemas/{type}.json', 'schemas/{type}/schema.json']],
    says: ['routes.yaml:13:15  error  {type} must stand in the name of the file'],
  },
  {
    finds: 'a single schema that is not there',
    in: [['routes.yaml', 'schemas/{type}.json', 'schemas/booking.request.json']],
    says: [
      'routes.yaml:13:15  error  the file schemas/booking.request.json is not there  Did you mean schemas/booking.requested.json?',
    ],
  },
  {
    finds: 'a code map that cannot be read',
    in: [['codes/status.yaml', 'NEW: 010', 'NEW: [010]']],
    says: ['codes/status.yaml:2:1  error  NEW has no code  Write one text after the colon.'],
  },
  {
    finds: 'a code map with a key twice',
    in: [['codes/status.yaml', 'NEW: 010', 'NEW: 010\nNEW: 011']],
    says: ['codes/status.yaml:3:1  error  NEW is there twice  Give it a name of its own.'],
  },
  {
    finds: 'a folder without a code map',
    in: [['routes.yaml', 'codes: codes', 'codes: maps']],
    says: ['routes.yaml:4:42  error  maps holds no code map  Put one YAML file per map there.'],
  },
  {
    finds: 'a secret in a route',
    in: [['routes.yaml', 'path: /appointments }', "path: '/${env:NORTH_URL}' }"]],
    says: [
      'routes.yaml:45:63  error  a secret cannot stand in a route: what a route sends is kept  Put it into an option of the channel.',
    ],
  },
]);
