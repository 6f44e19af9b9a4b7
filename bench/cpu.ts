import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** CPU seconds since boot, user and system, of each part of the bench and of everything else on the machine. */
export type CpuSeconds = Readonly<Record<string, number>>;

// USER_HZ is 100 on every Linux that Node runs on.
const TICKS_PER_SECOND = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Its own time and that of its children that have ended. */
  readonly ticks: number;
  readonly alone: number;
}

/**
 * Reads the time of every process below this one. A part is named by `labels` (pid to name); servers by their command.
 * What is left of the machine's busy time is `foreign`: other people's work makes a measurement worthless.
 */
export function cpuSeconds(labels: ReadonlyMap<number, string>): CpuSeconds {
  const processes = everyProcess();
  const spent: Record<string, number> = {};
  let ours = 0;
  for (const process of processes.values()) {
    const label = labelOf(process, processes, labels);
    if (label === null) continue;
    spent[label] = (spent[label] ?? 0) + process.ticks / TICKS_PER_SECOND;
    ours += process.ticks;
  }
  spent['foreign'] = (busyTicks() - ours) / TICKS_PER_SECOND;
  return spent;
}

/** What was spent between two readings. */
export function cpuBetween(before: CpuSeconds, after: CpuSeconds): CpuSeconds {
  return Object.fromEntries(
    Object.entries(after).map(([name, spent]) => [name, spent - (before[name] ?? 0)]),
  );
}

const QUIET = 0.1;
const LOOK_MS = 1_000;

/** Waits until others use little of the machine, at most so long. */
export async function quiet(waitS: number): Promise<void> {
  const until = performance.now() + 1_000 * waitS;
  while (performance.now() < until) {
    const before = cpuSeconds(new Map());
    await delay(LOOK_MS);
    const { foreign = 0 } = cpuBetween(before, cpuSeconds(new Map()));
    if (foreign / ((LOOK_MS / 1_000) * availableParallelism()) < QUIET) return;
  }
}

function labelOf(
  { pid }: Process,
  processes: ReadonlyMap<number, Process>,
  labels: ReadonlyMap<number, string>,
): string | null {
  let at: number | undefined = pid;
  while (at !== undefined && at > 1) {
    const label = labels.get(at);
    if (label !== undefined) return label;
    if (at === process.pid) return 'bench';
    const parent: number | undefined = processes.get(at)?.parent;
    if (parent === process.pid) return serverOf(at);
    at = parent;
  }
  return null;
}

function serverOf(pid: number): string {
  const command = textOf(`/proc/${pid}/cmdline`);
  if (command.includes('postgres')) return 'postgres';
  return /rabbit|epmd|beam/.test(command) ? 'broker' : 'bench';
}

function everyProcess(): ReadonlyMap<number, Process> {
  const processes = new Map<number, Process>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = textOf(`/proc/${name}/stat`);
    if (stat === '') continue;
    // The command stands in brackets and may hold anything; what follows its last bracket is fields 3 and on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    const alone = field(14) + field(15);
    const pid = Number(name);
    processes.set(pid, { pid, parent: field(4), ticks: alone + field(16) + field(17), alone });
  }
  return processes;
}

function busyTicks(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    textOf('/proc/stat').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return user + nice + system + irq + softirq;
}

/** Empty when the process is gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
