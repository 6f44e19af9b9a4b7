/** The part of rascal 21 that is used here; it brings no types of its own. */
declare module 'rascal' {
  interface VhostConfig {
    readonly connection: { readonly url: string; readonly retry: false };
    readonly exchanges: Readonly<
      Record<
        string,
        {
          readonly type?: string;
          readonly assert: boolean;
          readonly check: boolean;
          readonly options?: object;
        }
      >
    >;
    readonly queues: Readonly<
      Record<
        string,
        {
          readonly options: { readonly durable: true; readonly arguments: Readonly<Record<string, unknown>> };
        }
      >
    >;
    readonly bindings: Readonly<
      Record<
        string,
        {
          readonly source: string;
          readonly destination: string;
          readonly destinationType: 'queue';
          readonly bindingKey: string;
        }
      >
    >;
  }

  interface BrokerAsPromised extends NodeJS.EventEmitter {
    shutdown(): Promise<void>;
  }

  const rascal: {
    createBrokerAsPromised(config: {
      readonly vhosts: Readonly<Record<string, VhostConfig>>;
    }): Promise<BrokerAsPromised>;
  };
  export = rascal;
}
