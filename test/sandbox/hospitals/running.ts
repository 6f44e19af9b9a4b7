import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type HospitalControl, hospitalControl } from '../../../sandbox/hospitals/control.ts';

/** The program of a hospital. */
export const MAIN = fileURLToPath(new URL('../../../sandbox/hospitals/main.ts', import.meta.url));

export interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly address: string;
  readonly control: HospitalControl;
  readonly controlUrl: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a hospital as a process of its own and resolves once it is ready. */
export async function startHospital(kind: 'rest' | 'soap', folder?: string): Promise<Running> {
  const data = folder ?? (await mkdtemp(join(tmpdir(), 'hospital-')));
  const name = kind === 'rest' ? 'alnoor' : 'stmary';
  const child = spawn(process.execPath, [MAIN, '--name', name, '--kind', kind, '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ready = JSON.parse(line) as { address: string; control: string };
  return {
    child,
    folder: data,
    address: ready.address,
    control: hospitalControl(ready.control),
    controlUrl: ready.control,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

export async function endHospital(hospital: Running): Promise<void> {
  await hospital.kill('SIGKILL');
  await rm(hospital.folder, { recursive: true, force: true });
}

/** What came back: an answer, or the code of what broke. */
export type Back =
  | { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }
  | { readonly broke: string };

/** Sends bytes; resolves also when the connection breaks, or when the caller gives up: `broke: 'patience'`. */
export function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  patience: AbortSignal = AbortSignal.timeout(60_000),
): Promise<Back> {
  return new Promise((resolve) => {
    const method = body === '' ? 'GET' : 'POST';
    const sent = request(url, { method, headers, agent: false, signal: patience }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error: NodeJS.ErrnoException) => resolve({ broke: error.code ?? error.name }));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ broke: patience.aborted ? 'patience' : (error.code ?? error.name) }),
    );
    sent.end(body);
  });
}

const SLOT = { start: '2026-12-02T08:00:00+03:00', end: '2026-12-02T08:30:00+03:00' };

export interface Booking {
  readonly reference: string;
  readonly doctor?: string;
  readonly start?: string;
  readonly end?: string;
}

/** Books over JSON. The key is the reference unless said. */
export function bookAlnoor(
  hospital: Pick<Running, 'address'>,
  booking: Booking,
  key = `key-${booking.reference}`,
  patience?: AbortSignal,
) {
  const { reference, doctor = 'DR-881', start = SLOT.start, end = SLOT.end } = booking;
  const patient = { id: '0012345', name: 'Layla Example', birthDate: '1990-04-01', phone: '+966500000001' };
  const body = JSON.stringify({ externalReference: reference, doctorId: doctor, start, end, patient });
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return post(`${hospital.address}/appointments`, headers, body, patience);
}

/** Sends one operation over SOAP. */
export function askStmary(
  hospital: Pick<Running, 'address'>,
  operation: string,
  content: string,
  key: string,
  patience?: AbortSignal,
) {
  const envelope = [
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="urn:stmary:appointments:v1">',
    `<soap:Header><m:MessageId>${key}</m:MessageId></soap:Header>`,
    `<soap:Body><m:${operation}>${content}</m:${operation}></soap:Body></soap:Envelope>`,
  ].join('');
  const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${operation}"` };
  return post(hospital.address, headers, envelope, patience);
}

export function bookStmary(
  hospital: Pick<Running, 'address'>,
  booking: Booking,
  key = `key-${booking.reference}`,
  patience?: AbortSignal,
) {
  const { reference, doctor = 'DR-881', start = SLOT.start, end = SLOT.end } = booking;
  const content = [
    `<m:ExternalReference>${reference}</m:ExternalReference><m:DoctorId>${doctor}</m:DoctorId>`,
    `<m:Start>${start}</m:Start><m:End>${end}</m:End>`,
    '<m:Patient><m:Id>0012345</m:Id><m:Name>Layla Example</m:Name></m:Patient>',
  ].join('');
  return askStmary(hospital, 'BookAppointment', content, key, patience);
}

/** A start of its own for each number, a half hour apart. */
export function startOf(number: number): { start: string; end: string } {
  const at = Date.parse('2027-01-01T05:00:00Z') + number * 1_800_000;
  return { start: new Date(at).toISOString(), end: new Date(at + 1_800_000).toISOString() };
}
