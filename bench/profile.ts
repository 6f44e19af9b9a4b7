import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKOUT } from '../sandbox/environment.ts';
import { percent, table } from './figures.ts';

interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

interface HeapNode {
  readonly callFrame: Frame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** What is told of a profile: how much was spent by whom. */
interface Told {
  readonly owners: Map<string, number>;
  readonly files: Map<string, number>;
  readonly functions: Map<string, number>;
  /** With all they call. */
  readonly callers: Map<string, number>;
}

const MOST = 25;

/** Prints where the time of a `.cpuprofile` went between two instants of the machine's monotonic clock, which V8 uses too. */
export function printCpu(file: string, fromMs: number, toMs: number): void {
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const spent = new Map<number, number>();
  let idle = 0;
  let busy = 0;
  let at = startTime;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  for (const [index, id] of samples.entries()) {
    const delta = timeDeltas[index] ?? 0;
    at += delta;
    if (at < fromMs * 1_000 || at > toMs * 1_000) continue;
    if (names.get(id) === '(idle)') idle += delta;
    else {
      busy += delta;
      spent.set(id, (spent.get(id) ?? 0) + delta);
    }
  }
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const told = nothingTold();
  for (const [id, time] of spent) {
    const stack: Frame[] = [];
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node)) {
      const frame = frames.get(node);
      if (frame !== undefined) stack.push(frame);
    }
    tell(told, stack, time);
  }
  console.log(`busy ${percent(busy / (busy + idle))} of ${((busy + idle) / 1e6).toFixed(2)} s, as sampled`);
  show(told, 'ms', busy, (time) => (time / 1_000).toFixed(0));
}

/** Prints where the bytes of a `.heapprofile` were allocated. */
export function printAllocations(file: string, conversations: number): void {
  const { head } = JSON.parse(readFileSync(file, 'utf8')) as { readonly head: HeapNode };
  const told = nothingTold();
  let whole = 0;
  const visit = (node: HeapNode, above: readonly Frame[]): void => {
    const stack = [node.callFrame, ...above];
    whole += node.selfSize;
    if (node.selfSize > 0) tell(told, stack, node.selfSize);
    for (const child of node.children) visit(child, stack);
  };
  visit(head, []);
  console.log(
    `${(whole / 2 ** 20).toFixed(0)} MB allocated on the heap, ${(whole / conversations / 1_024).toFixed(1)} kB per conversation, as sampled (not the bytes of large buffers, which lie outside)`,
  );
  show(told, 'kB each', whole, (bytes) => (bytes / conversations / 1_024).toFixed(2));
}

function nothingTold(): Told {
  return { owners: new Map(), files: new Map(), functions: new Map(), callers: new Map() };
}

/** `stack` begins with the function that spent it. */
function tell(told: Told, stack: readonly Frame[], amount: number): void {
  const [own] = stack;
  if (own === undefined) return;
  const { owner, file } = placeOf(own);
  add(told.owners, owner, amount);
  if (file !== null) add(told.files, file, amount);
  add(told.functions, nameOf(own), amount);
  const ours = stack.filter((frame) => placeOf(frame).file !== null).map(nameOf);
  for (const name of new Set(ours)) add(told.callers, name, amount);
}

function show(told: Told, unit: string, whole: number, said: (amount: number) => string): void {
  const each: readonly (readonly [string, ReadonlyMap<string, number>])[] = [
    ['By owner: ours by folder, packages, Node, native code, garbage collection', told.owners],
    ['By file of ours', told.files],
    [`By function, top ${MOST}`, told.functions],
    [`By function of ours with all that it calls, top ${MOST}`, told.callers],
  ];
  for (const [title, amounts] of each) {
    console.log(`\n${title}`);
    const sorted = [...amounts].sort(([, a], [, b]) => b - a).slice(0, MOST);
    table(
      ['', unit, 'part'],
      sorted.map(([name, amount]) => [name, said(amount), `${((100 * amount) / whole).toFixed(1)} %`]),
    );
  }
}

function nameOf(frame: Frame): string {
  const { owner, file } = placeOf(frame);
  const where = file === null ? `(${owner})` : `${file}:${frame.lineNumber + 1}`;
  return `${frame.functionName || '(anonymous)'} ${where}`;
}

/** Whose function it is; its file when it is ours. */
function placeOf({ url, functionName }: Frame): { readonly owner: string; readonly file: string | null } {
  if (functionName === '(garbage collector)') return { owner: 'garbage collection', file: null };
  if (url.startsWith('node:')) return { owner: 'node', file: null };
  if (url === '' || url.startsWith('wasm:')) return { owner: 'native', file: null };
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (packageName !== undefined) return { owner: packageName, file: null };
  const file = relative(CHECKOUT, path);
  return { owner: file.split('/').slice(0, 2).join('/'), file };
}

function add(amounts: Map<string, number>, name: string, amount: number): void {
  amounts.set(name, (amounts.get(name) ?? 0) + amount);
}
