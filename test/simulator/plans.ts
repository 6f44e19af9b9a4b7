import type { ChannelKind } from '../../engine/channel.ts';
import { compile } from '../../engine/config/compile.ts';
import type { Plan } from '../../engine/plan.ts';

/** A probe of stmary's counts so long after the uncertain send: longer than the longest of its delays. */
export const SETTLE_AFTER_MS = 12_000;
/** How long a hospital is waited for. */
export const DEADLINE_MS = 3_000;

/** Dawy and three hospitals: one knows repeats, one can be asked, one neither. */
const ROUTES = `version: 1
systems:
  dawy: {}
  alnoor: {}
  stmary: {}
  lakeside: {}
channels:
  dawy-in:
    system: dawy
    kind: amqp
    prefetch: 16
    read:
      as: json
      type: /type
      id: amqp.messageId
      hospital: /booking/hospital
      booking: /booking/reference
      learn: { slotStart: /slot/start, slotEnd: /slot/end, doctor: /doctor }
  alnoor-out:
    system: alnoor
    kind: hospital
    timeout: 3s
    maxInFlight: 4
    repeats: recognized
  stmary-out:
    system: stmary
    kind: hospital
    timeout: 3s
    maxInFlight: 2
    repeats: probe
    probe:
      settleAfter: 12s
      render: { template: find.json.yaml }
      says:
        - { when: { /found: true }, verdict: taken }
        - { when: { /found: false }, verdict: absent }
  lakeside-out:
    system: lakeside
    kind: hospital
    timeout: 3s
    maxInFlight: 1
  dawy-out: { system: dawy, kind: amqp, timeout: 3s, maxInFlight: 16 }
routes:
${['alnoor', 'stmary', 'lakeside'].map(routeTo).join('')}  tell-dawy: { from: bookings, render: event.json.yaml, to: dawy-out, retry: { first: 500ms, max: 8s, for: 6h } }
  warn-dawy: { from: engine, render: notice.json.yaml, to: dawy-out, retry: { first: 500ms, max: 8s, for: 6h } }
`;

function routeTo(hospital: string): string {
  return `  to-${hospital}:
    from: dawy-in
    when: { hospital: ${hospital} }
    render:
      booking.requested: { template: book.json.yaml }
      booking.reschedule-requested: { template: move.json.yaml }
      booking.cancel-requested: { template: cancel.json.yaml }
    to: ${hospital}-out
    answer:
      as: json
      learn: { hospitalRef: /id, slotStart: /start, slotEnd: /end }
      becomes:
        - { when: { /status: BOOKED, asked: booking.reschedule-requested }, event: booking.rescheduled }
        - { when: { /status: BOOKED }, event: booking.confirmed }
        - { when: { /status: CANCELLED }, event: booking.cancelled }
        - { when: { /code: SLOT_TAKEN }, event: booking.rejected, learn: { reason: /code } }
    retry: { attempts: 8, first: 500ms, max: 8s, for: 30m }
    onDead: block
`;
}

const FILES: Readonly<Record<string, string>> = {
  'book.json.yaml': `operation: book
reference: "{{message.booking.reference}}"
doctor: "{{message.doctor}}"
start: "{{message.slot.start}}"
end: "{{message.slot.end}}"
patient: "{{message.patient}}"
`,
  'move.json.yaml': `operation: move
hospitalRef: "{{booking.hospitalRef}}"
start: "{{message.slot.start}}"
end: "{{message.slot.end}}"
`,
  'cancel.json.yaml': `operation: cancel
hospitalRef: "{{booking.hospitalRef}}"
`,
  'find.json.yaml': `operation: find
reference: "{{message.booking.reference}}"
sought: "{{message.type}}"
start: "{{optional message.slot.start}}"
`,
  'event.json.yaml': `id: "{{edition.key}}"
type: "{{message.type}}"
subject: "{{message.booking.reference}}"
data: "{{message}}"
`,
  'notice.json.yaml': `id: "{{edition.key}}"
type: "{{message.type}}"
subject: "{{optional message.booking}}"
data: "{{message}}"
`,
};

interface Variant {
  readonly routes?: (text: string) => string;
  readonly files?: Readonly<Record<string, string>>;
}

/** What instances may run beside each other, or one after the other. The first is what all run in the end. */
const VARIANTS: Readonly<Record<PlanName, Variant>> = {
  usual: {},
  'other words': {
    files: { 'book.json.yaml': `${FILES['book.json.yaml']}note: another template\n` },
  },
  'fewer slots': {
    routes: (text) =>
      text.replace('maxInFlight: 4', 'maxInFlight: 1').replace('maxInFlight: 16', 'maxInFlight: 3'),
  },
  'without lakeside': {
    routes: (text) => text.replace(routeTo('lakeside'), '').replace(/ {2}lakeside-out:\n( {4}.*\n)+/, ''),
  },
  'another line': {
    routes: (text) => text.replaceAll('kind: hospital', 'kind: hospital\n    line: second'),
  },
};

export type PlanName = 'usual' | 'other words' | 'fewer slots' | 'without lakeside' | 'another line';

export const PLAN_NAMES = Object.keys(VARIANTS) as readonly PlanName[];

/** Every plan, compiled once and for all histories: a plan is immutable. */
export function plansFor(kinds: readonly ChannelKind[]): Readonly<Record<PlanName, Plan>> {
  const plans = Object.entries<Variant>(VARIANTS).map(
    ([name, { routes = (text: string) => text, files = {} }]) => {
      const all: Readonly<Record<string, string>> = { ...FILES, ...files, 'routes.yaml': routes(ROUTES) };
      const compiled = compile({
        read: (path) => all[path] ?? null,
        list: () => Object.keys(all),
        env: {},
        kinds,
      });
      if (compiled.kind === 'problems') throw new TypeError(JSON.stringify(compiled.problems, null, 1));
      return [name, compiled.plan];
    },
  );
  return Object.fromEntries(plans) as Record<PlanName, Plan>;
}
