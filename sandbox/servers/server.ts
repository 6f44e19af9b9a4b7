/** A PostgreSQL or RabbitMQ the sandbox has started, or was given. The address stays the same over restarts. */
export interface RunningServer {
  readonly url: string;
  /** In order, with everything on disk. Does nothing when it is not ours. */
  stop(): Promise<void>;
  /** At once, as a power cut would. Throws `not-allowed` when it is not ours. */
  kill(): Promise<void>;
  /** Starts it again where it was, after an ordered stop when it still runs. Throws `not-allowed` when it is not ours. */
  restart(): Promise<void>;
}

/** One that can be watched. */
export interface WatchedServer extends RunningServer {
  /** Settles when the process that runs now has ended, with how. Null when none of ours runs. */
  ended(): Promise<string> | null;
}

/** One line for whoever watches: what is being done. */
export type Log = (line: string) => void;
