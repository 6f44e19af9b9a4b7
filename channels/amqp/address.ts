import type { ChannelContext } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';

/** Where the broker of the channel's system is. Throws `config-invalid` when the system does not say it. */
export function addressOf({ connections, system }: ChannelContext): string {
  const address = connections['amqp'];
  if (address === undefined) {
    throw new BridgeError('config-invalid', `system ${system} does not say its \`amqp:\` connection`);
  }
  return address;
}
