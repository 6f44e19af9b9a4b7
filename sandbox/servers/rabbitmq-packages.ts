import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { BridgeError } from '../../engine/errors.ts';
import { runChild } from '../launcher/child.ts';
import { cacheFolder } from './cache.ts';
import { found } from './on-path.ts';
import type { RabbitPrograms } from './rabbitmq-node.ts';
import type { Log } from './server.ts';

// What rabbitmq-server needs of Erlang, and the two libraries a bare Debian may lack.
const PACKAGES = [
  ...['libsctp1', 'libssl3'],
  ...[
    'base',
    'asn1',
    'crypto',
    'public-key',
    'mnesia',
    'runtime-tools',
    'ssl',
    'eldap',
    'ftp',
    'tftp',
    'inets',
  ].map(erlang),
  ...['snmp', 'os-mon', 'parsetools', 'syntax-tools', 'tools', 'xmerl'].map(erlang),
  'rabbitmq-server',
];

function erlang(part: string): string {
  return `erlang-${part}`;
}

/**
 * RabbitMQ from the packages of this Debian: downloaded and checked by apt, unpacked into a folder, not installed. Needs no root.
 * Unpacked once per machine; a second checkout finds it. Throws `broker-unavailable` with what to do where that cannot work.
 */
export async function unpackedRabbit(folder: string, log: Log): Promise<RabbitPrograms> {
  for (const tool of ['apt-get', 'dpkg', 'dpkg-deb']) {
    if (found(tool) === null) throw new BridgeError('broker-unavailable', `this system has no ${tool}`);
  }
  const root = join(cacheFolder(folder), `rabbitmq-${await systemId(folder)}`);
  if (!existsSync(root)) await unpack(root, folder, log);
  return programsIn(root);
}

// Made aside and renamed, so that one that was interrupted or runs at the same time leaves no half of it.
async function unpack(root: string, folder: string, log: Log): Promise<void> {
  const build = `${root}.${process.pid}.new`;
  const packages = join(build, 'packages');
  const tree = join(build, 'root');
  rmSync(build, { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  mkdirSync(tree);
  try {
    log(`RabbitMQ: downloading ${PACKAGES.length} Debian packages (about 37 MB, once on this machine)`);
    await download(build, packages, folder, log);
    log('RabbitMQ: unpacking them');
    for (const file of readdirSync(packages).filter((name) => name.endsWith('.deb'))) {
      await runChild({
        name: 'dpkg-deb',
        command: 'dpkg-deb',
        args: ['-x', join(packages, file), tree],
        folder,
      });
    }
    moveErlang(tree, join(root, 'usr/lib/erlang'));
    keep(tree, root);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

async function download(build: string, packages: string, folder: string, log: Log): Promise<void> {
  const apt = (args: readonly string[]) =>
    runChild({
      name: 'apt-get',
      command: 'apt-get',
      args: [...asWhoWeAre(), ...args],
      folder,
      cwd: packages,
    });
  try {
    await apt(['download', '-qq', ...PACKAGES]);
    return;
  } catch {
    // No package lists on this machine (a fresh image has none), or old ones: the second try says what is really wrong.
    log('RabbitMQ: reading the package lists of Debian');
  }
  const lists = join(build, 'lists');
  const cache = join(build, 'cache');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives/partial'), { recursive: true });
  const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
  try {
    await apt([...own, 'update', '-qq']);
    await apt([...own, 'download', '-qq', ...PACKAGES]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BridgeError(
      'broker-unavailable',
      `Debian's packages could not be downloaded: ${why}\n  Check the network, the proxy and /etc/apt/sources.list.d of this machine.`,
      { cause },
    );
  }
}

// As root apt downloads as the user _apt, who may not reach our folder.
function asWhoWeAre(): readonly string[] {
  return process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
}

// Debian writes the place of Erlang into its starter.
function moveErlang(tree: string, home: string): void {
  const starter = join(tree, 'usr/lib/erlang/bin/erl');
  const before = readFileSync(starter, 'utf8');
  const after = before.replace(/^(\s*)ROOTDIR=\/usr\/lib\/erlang$/m, `$1ROOTDIR="${home}"`);
  if (after === before)
    throw new BridgeError('broker-unavailable', 'the Erlang of this Debian starts otherwise than expected');
  writeFileSync(starter, after);
}

function keep(tree: string, root: string): void {
  try {
    renameSync(tree, root);
  } catch (error) {
    // Another start was first: its folder holds the same.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function programsIn(root: string): RabbitPrograms {
  const servers = join(root, 'usr/lib/rabbitmq/lib');
  const version = readdirSync(servers).find((name) => name.startsWith('rabbitmq_server-'));
  if (version === undefined) {
    throw new BridgeError(
      'broker-unavailable',
      `${root} holds no RabbitMQ. Remove that folder and start again.`,
    );
  }
  const triplets = readdirSync(join(root, 'usr/lib')).filter((name) => name.endsWith('-linux-gnu'));
  return {
    id: version,
    server: join(servers, version, 'sbin/rabbitmq-server'),
    path: [join(root, 'usr/lib/erlang/bin')],
    libraries: triplets.map((name) => join(root, 'usr/lib', name)),
    what: `RabbitMQ ${version.replace('rabbitmq_server-', '')} from Debian's packages`,
  };
}

async function systemId(folder: string): Promise<string> {
  const architecture = await runChild({
    name: 'dpkg',
    command: 'dpkg',
    args: ['--print-architecture'],
    folder,
  });
  const release = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'debian';
  return `${release.replaceAll('"', '')}-${architecture.trim()}`;
}
