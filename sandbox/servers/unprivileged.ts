import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';

/** How PostgreSQL is run so that it is not root, which it refuses to be. */
export interface Unprivileged {
  /** Gives a folder of ours to the user it will run as. */
  own(path: string): void;
  /** The command to spawn instead of `command`. */
  wrap(
    command: string,
    args: readonly string[],
  ): { readonly command: string; readonly args: readonly string[] };
}

/**
 * As we are when we are not root. As root: the `postgres` user where there is one, else `nobody`, by `setpriv` of util-linux,
 * which every Debian has. Nothing is installed and no user is made.
 * Where that user could not even reach `binary` or `folder` (a checkout under /root), it keeps one right of root: to pass folders.
 */
export function unprivileged(binary: string, folder: string): Unprivileged {
  if (process.getuid?.() !== 0) {
    return { own: () => undefined, wrap: (command, args) => ({ command, args }) };
  }
  const { uid, gid } = idsOf('postgres') ?? idsOf('nobody') ?? { uid: 65_534, gid: 65_534 };
  const plain = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const reaches = spawnSync('setpriv', [...plain, 'test', '-x', binary, '-a', '-x', folder]).status === 0;
  const flags = reaches ? plain : [...plain, ...PASS_FOLDERS];
  return {
    own: (path) => chownSync(path, uid, gid),
    wrap: (command, args) => ({ command: 'setpriv', args: [...flags, command, ...args] }),
  };
}

// The last one because access(2), by which PostgreSQL looks at its own binary, otherwise ignores the right.
const PASS_FOLDERS = [
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
  '--securebits=+no_setuid_fixup',
];

function idsOf(user: string): { readonly uid: number; readonly gid: number } | null {
  const { status, stdout } = spawnSync('getent', ['passwd', user], { encoding: 'utf8' });
  const [, , uid, gid] = stdout.split(':');
  return status === 0 ? { uid: Number(uid), gid: Number(gid) } : null;
}
