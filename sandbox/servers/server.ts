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

/** One line for whoever watches: what is being done. */
export type Log = (line: string) => void;
