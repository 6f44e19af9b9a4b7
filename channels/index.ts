import type { ChannelKind } from '../engine/channel.ts';
import { amqp } from './amqp/kind.ts';
import { rest } from './rest/kind.ts';
import { soap } from './soap/kind.ts';

/** Every kind that routes.yaml may name. */
export const channelKinds: readonly ChannelKind[] = [amqp, rest, soap];
