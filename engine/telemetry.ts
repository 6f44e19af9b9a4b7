import type { DeliveryEnding, DeliveryState } from './delivery.ts';
import type { ErrorCode } from './errors.ts';
import type { ChannelName, DeliveryId, MessageId, RouteName, SystemName } from './message.ts';
import type { BookingStep } from './store.ts';

/** Everything worth knowing about the engine at work. One event is one log line and one metric. No value of a message. */
export type EngineEvent =
  | {
      readonly kind: 'message-kept';
      readonly id: MessageId;
      readonly channel: ChannelName;
      readonly type: string;
      readonly hospital: SystemName;
      readonly booking: string | null;
      readonly bytes: number;
      readonly deliveries: number;
      readonly tookMs: number;
    }
  | { readonly kind: 'message-duplicate'; readonly id: MessageId; readonly channel: ChannelName }
  | {
      readonly kind: 'message-refused';
      readonly id: MessageId;
      readonly channel: ChannelName;
      readonly type: string;
      readonly hospital: SystemName;
      readonly error: ErrorCode;
      readonly detail: string;
    }
  | {
      readonly kind: 'delivery-settled';
      readonly id: DeliveryId;
      readonly message: MessageId;
      readonly route: RouteName;
      readonly channel: ChannelName;
      readonly hospital: SystemName;
      readonly booking: string | null;
      readonly type: string;
      readonly state: DeliveryState | DeliveryEnding;
      readonly tries: number;
      readonly tookMs: number;
      readonly error: ErrorCode | null;
    }
  | {
      readonly kind: 'settle-fenced';
      readonly id: DeliveryId;
      readonly route: RouteName;
      readonly channel: ChannelName;
    }
  | {
      readonly kind: 'booking-moved';
      readonly booking: string;
      readonly hospital: SystemName;
      readonly from: string | null;
      readonly to: string;
      readonly said: string;
    }
  | {
      readonly kind: 'breaker-moved';
      readonly channel: ChannelName;
      readonly to: 'closed' | 'open' | 'half-open';
      readonly reason: ErrorCode | null;
    }
  | {
      readonly kind: 'channel-opened' | 'channel-closed';
      readonly channel: ChannelName;
      readonly detail: string;
    }
  | { readonly kind: 'instance-joined' | 'instance-left' | 'instance-fenced'; readonly instance: string }
  | {
      readonly kind: 'instance-took-over';
      readonly instance: string;
      readonly queued: number;
      readonly ambiguous: number;
    }
  | { readonly kind: 'orphans-released'; readonly count: number }
  | { readonly kind: 'batch-retried'; readonly what: 'keep' | 'edition' | 'settle'; readonly reason: string }
  | { readonly kind: 'commit-unknown'; readonly what: 'keep' | 'edition' | 'settle'; readonly found: boolean }
  | { readonly kind: 'store-lost' | 'store-back'; readonly detail: string }
  | { readonly kind: 'plan-activated'; readonly hash: string; readonly routes: number }
  | { readonly kind: 'plan-refused'; readonly problems: readonly string[] }
  | { readonly kind: 'ledger-differs'; readonly messages: readonly MessageId[] }
  | { readonly kind: 'defect'; readonly where: string; readonly detail: string };

export interface Telemetry {
  emit(event: EngineEvent): void;
}

/** Says that a booking moved; nothing when it did not. */
export function emitStep(telemetry: Telemetry, step: BookingStep | null): void {
  if (step === null) return;
  const { reference: booking, hospital, state: to } = step.after;
  telemetry.emit({ kind: 'booking-moved', booking, hospital, from: step.before, to, said: step.input.type });
}
