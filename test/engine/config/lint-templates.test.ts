import { lintTable } from './lint-table.ts';

lintTable('problems with templates and envelopes', [
  {
    finds: 'an expression without quotes',
    in: [
      [
        'routes.yaml',
        "path: '/appointments/{{booking.hospitalRef}}/cancel'",
        'path: {{booking.hospitalRef}}',
      ],
    ],
    says: [
      "routes.yaml:46:70  error  a key must be a text  Put quotes around an expression: '{{message.id}}'.",
    ],
  },
  {
    finds: 'a template that is not there',
    in: [['routes.yaml', 'render: event.json.yaml', 'render: events.json.yaml']],
    says: ['routes.yaml:58:13  error  the file events.json.yaml is not there  Did you mean event.json.yaml?'],
  },
  {
    finds: 'a template of an unknown ending',
    in: [['routes.yaml', 'render: event.json.yaml', 'render: codes/status.yaml']],
    says: ['codes/status.yaml:1:1  error  '],
  },
  {
    finds: 'a template that cannot be compiled',
    in: [['cancel.json.yaml', '{{optional message.reason}}', '{{optional message.reason']],
    says: ['cancel.json.yaml:1:10  error  '],
  },
  {
    finds: 'a template that reads what nothing has',
    in: [['cancel.json.yaml', '{{optional message.reason}}', '{{bookng.state}}']],
    says: ['cancel.json.yaml:1:12  error  '],
  },
  {
    finds: 'a template that reads what the schema never gives',
    in: [['request.json.yaml', 'message.patient.name', 'message.patient.nmae']],
    says: [
      'request.json.yaml:2:10  error  the template reads message.patient.nmae, which schemas/booking.requested.json never gives  There it has id, name, phone.',
    ],
  },
  {
    finds: 'an optional read of what the schema never gives',
    in: [['cancel.json.yaml', 'message.reason', 'message.reazon']],
    says: [
      'cancel.json.yaml:1:21  error  the template reads message.reazon, which schemas/booking.cancel-requested.json never gives  Did you mean message.reason?',
    ],
  },
  {
    finds: 'a template that reads what may be absent',
    in: [['cancel.json.yaml', 'optional message.reason', 'message.reason']],
    says: [
      'cancel.json.yaml:1:12  warning  the template reads message.reason, which schemas/booking.cancel-requested.json does not always give  Write (optional message.reason), or require it in the schema.',
    ],
  },
  {
    finds: 'a template that reads a fact nothing learns',
    in: [['routes.yaml', 'hospitalRef: /id, ', '']],
    says: [
      'routes.yaml:46:86  error  the template reads booking.hospitalRef, which nothing learns  Add hospitalRef to a learn: of the answer that says it.',
    ],
  },
  {
    finds: 'a template that reads a time zone nobody set',
    in: [
      ['routes.yaml', 'timeZone: Asia/Riyadh, ', ''],
      ['cancel.json.yaml', 'optional message.reason', 'system.timeZone'],
    ],
    says: [
      'cancel.json.yaml:1:12  error  the template reads system.timeZone, which north does not have  Add timeZone to systems.north.',
    ],
  },
  {
    finds: 'an expression in the envelope that cannot be read',
    in: [['routes.yaml', '{{booking.hospitalRef}}/cancel', '{{booking.}}/cancel']],
    says: ['routes.yaml:46:86  error  '],
  },
  {
    finds: 'an expression in the envelope that reads what nothing has',
    in: [['routes.yaml', '{{booking.hospitalRef}}/cancel', '{{booking.hospitalRf}}/cancel']],
    says: ['routes.yaml:46:86  error  '],
  },
  {
    finds: 'an expression in the envelope that the schema never gives',
    in: [['routes.yaml', '{{booking.hospitalRef}}/cancel', '{{message.booking.ref}}/cancel']],
    says: [
      'routes.yaml:46:86  error  the template reads message.booking.ref, which schemas/booking.cancel-requested.json never gives  There it has reference, hospital.',
    ],
  },
  {
    finds: 'an envelope without what the kind needs',
    in: [['routes.yaml', '{ template: request.json.yaml, path: /appointments }', 'request.json.yaml']],
    says: ['routes.yaml:45:7  error  routes.to-north.render.booking.requested lacks path  Add path.'],
  },
  {
    finds: 'an envelope key of another kind',
    in: [['routes.yaml', 'render: event.json.yaml', 'render: { template: event.json.yaml, path: /x }']],
    says: ['routes.yaml:58:42  error  path means nothing to this channel'],
  },
  {
    finds: 'an envelope key that no kind has',
    in: [['routes.yaml', 'method: GET', 'methd: GET']],
    says: [
      'routes.yaml:29:43  error  methd is not a key of channels.north-out.probe.render  Did you mean method?',
    ],
  },
  {
    finds: 'an envelope value that is no choice',
    in: [['routes.yaml', 'method: GET', 'method: GTE']],
    says: [
      'routes.yaml:29:51  error  GTE is not a value of channels.north-out.probe.render.method  Write one of POST, GET instead.',
    ],
  },
  {
    finds: 'an expression in the envelope that does not end',
    in: [['routes.yaml', '{{booking.hospitalRef}}/cancel', '{{booking.hospitalRef/cancel']],
    says: [
      'routes.yaml:46:69  error  an expression begins or ends alone  Write {{ before it and }} after it.',
    ],
  },
]);
