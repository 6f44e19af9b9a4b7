import type { LearntName } from '../booking.ts';

/**
 * routes.yaml as JavaScript, after its shape was checked: whatever was wrong is reported and gone, so every
 * part may be missing but none has a wrong type.
 */
export interface Config {
  readonly systems: Named<SystemConfig>;
  readonly channels: Named<ChannelConfig>;
  readonly routes: Named<RouteConfig>;
}

export type Named<Entry> = Readonly<Record<string, Entry | undefined>>;

export interface SystemConfig extends Readonly<Record<string, string | undefined>> {
  readonly timeZone?: string;
  readonly codes?: string;
}

export interface ChannelConfig extends Readonly<Record<string, unknown>> {
  readonly system?: string;
  readonly kind?: string;
  readonly read?: ReadConfig;
  readonly maxBytes?: string;
  readonly timeout?: string;
  readonly maxInFlight?: number;
  readonly repeats?: 'recognized' | 'probe' | 'unsafe';
  readonly verdicts?: Named<'taken' | 'declined' | 'later' | 'wrong'>;
  readonly probe?: ProbeConfig;
}

export type FormName = 'json' | 'xml';
export type LearnConfig = Readonly<Partial<Record<LearntName, string>>>;
export type Scalar = string | number | boolean;
export type WhenConfig = Named<Scalar | readonly Scalar[]>;

export interface ReadConfig {
  readonly as?: FormName;
  readonly type?: string;
  readonly schema?: string;
  readonly id?: string;
  readonly hospital?: string;
  readonly booking?: string;
  readonly learn?: LearnConfig;
  readonly search?: Named<string | { readonly at?: string; readonly private?: boolean }>;
}

/** A template with its envelope. */
export interface RenderConfig extends Readonly<Record<string, string | undefined>> {
  readonly template?: string;
}

export interface ProbeConfig {
  readonly settleAfter?: string;
  readonly render?: RenderConfig;
  readonly as?: FormName;
  readonly says?: readonly (SaysConfig | null)[];
}

export interface SaysConfig {
  readonly when?: WhenConfig;
  readonly verdict?: 'taken' | 'declined' | 'absent';
}

export interface RouteConfig {
  readonly from?: string;
  readonly when?: WhenConfig;
  readonly lane?: string;
  readonly render?: string | RenderConfig | Named<string | RenderConfig>;
  readonly to?: string;
  readonly answer?: AnswerConfig;
  readonly retry?: RetryConfig;
  readonly onDead?: 'block' | 'continue';
}

export interface AnswerConfig {
  readonly as?: FormName;
  readonly learn?: LearnConfig;
  readonly becomes?: readonly (BecomesConfig | null)[];
}

export interface BecomesConfig {
  readonly when?: WhenConfig;
  readonly event?: string;
  readonly learn?: LearnConfig;
}

export interface RetryConfig {
  readonly attempts?: number;
  readonly first?: string;
  readonly max?: string;
  readonly for?: string;
  readonly notAfter?: string;
}
