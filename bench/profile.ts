import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKOUT } from '../sandbox/environment.ts';
import { table } from './figures.ts';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

/** What is told of a profile: microseconds by owner, file and function; `busy` leaves out idle. */
interface Told {
  readonly busy: number;
  readonly idle: number;
  readonly owners: ReadonlyMap<string, number>;
  readonly files: ReadonlyMap<string, number>;
  readonly functions: ReadonlyMap<string, number>;
  /** With everything called from there: where the time of a native call belongs to. */
  readonly below: ReadonlyMap<string, number>;
}

const MOST = 25;

/** Prints where the time of a `.cpuprofile` went between two instants of the machine's monotonic clock, which V8 uses too. */
export function printProfile(file: string, fromMs: number, toMs: number): void {
  const told = tell(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, fromMs * 1_000, toMs * 1_000);
  const share = (time: number): readonly string[] => [
    (time / 1_000).toFixed(0),
    `${((100 * time) / told.busy).toFixed(1)} %`,
  ];
  const show = (title: string, times: ReadonlyMap<string, number>, most: number) => {
    console.log(`\n${title}`);
    const sorted = [...times].sort(([, a], [, b]) => b - a).slice(0, most);
    table(
      ['', 'ms', 'of busy'],
      sorted.map(([name, time]) => [name, ...share(time)]),
    );
  };
  const whole = told.busy + told.idle;
  console.log(`busy ${((100 * told.busy) / whole).toFixed(0)} % of ${(whole / 1e6).toFixed(2)} s (sampled)`);
  show('Self time by owner (ours by folder, packages, Node, native, garbage collection)', told.owners, 40);
  show('Self time by file of ours', told.files, MOST);
  show(`Self time by function, top ${MOST}`, told.functions, MOST);
  show(`With all they call: functions of ours, top ${MOST}`, told.below, MOST);
}

function tell({ nodes, samples, timeDeltas, startTime }: CpuProfile, from: number, to: number): Told {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const self = new Map<number, number>();
  let at = startTime;
  let idle = 0;
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const delta = timeDeltas[index] ?? 0;
    at += delta;
    if (at < from || at > to) continue;
    const name = byId.get(id)?.callFrame.functionName;
    if (name === '(idle)') idle += delta;
    if (name === '(idle)' || name === '(root)') continue;
    busy += delta;
    self.set(id, (self.get(id) ?? 0) + delta);
  }
  const told = { owners: new Map(), files: new Map(), functions: new Map(), below: new Map() } as Record<
    'owners' | 'files' | 'functions' | 'below',
    Map<string, number>
  >;
  for (const [id, time] of self) {
    const frame = byId.get(id)?.callFrame;
    if (frame === undefined) continue;
    const { owner, file } = placeOf(frame.url, frame.functionName);
    add(told.owners, owner, time);
    if (file !== null) add(told.files, file, time);
    add(told.functions, `${frame.functionName || '(anonymous)'} ${spot(frame, owner, file)}`, time);
    const seen = new Set<string>();
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node)) {
      const above = byId.get(node)?.callFrame;
      if (above === undefined) break;
      const place = placeOf(above.url, above.functionName);
      const name = `${above.functionName || '(anonymous)'} ${spot(above, place.owner, place.file)}`;
      if (place.file !== null && !seen.has(name)) add(told.below, name, time);
      seen.add(name);
    }
  }
  return { busy, idle, ...told };
}

function spot({ lineNumber }: { readonly lineNumber: number }, owner: string, file: string | null): string {
  return file === null ? `(${owner})` : `${file}:${lineNumber + 1}`;
}

function placeOf(
  url: string,
  functionName: string,
): { readonly owner: string; readonly file: string | null } {
  if (functionName === '(garbage collector)') return { owner: 'garbage collection', file: null };
  if (functionName === '(program)') return { owner: 'native, not in a function', file: null };
  if (url.startsWith('node:')) return { owner: 'node', file: null };
  if (url === '') return { owner: 'native', file: null };
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (packageName !== undefined) return { owner: packageName, file: null };
  const file = relative(CHECKOUT, path);
  return { owner: `${file.split('/').slice(0, 2).join('/')}`, file };
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}
