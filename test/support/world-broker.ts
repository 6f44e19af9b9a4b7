import { connect } from 'amqplib';
import { applyTopology, type Topology } from '../../channels/amqp/topology.ts';

/** The queues and exchanges of one world on a broker that others use too. */
export class BrokerPlace {
  readonly #url: string;
  readonly #topology: Topology;

  private constructor(url: string, topology: Topology) {
    this.#url = url;
    this.#topology = topology;
  }

  /** Declares Dawy's exchange as Dawy would, and all that the routes need. The broker is not killed: nothing has to settle. */
  static async make(url: string, topology: Topology): Promise<BrokerPlace> {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    for (const exchange of topology.foreign) {
      await channel.assertExchange(exchange, 'topic', { durable: true });
    }
    await connection.close();
    await applyTopology(url, topology, { settleMs: 0 });
    return new BrokerPlace(url, topology);
  }

  async remove(): Promise<void> {
    const connection = await connect(this.#url);
    const channel = await connection.createChannel();
    for (const { name } of this.#topology.queues) await channel.deleteQueue(name);
    for (const name of [...this.#topology.foreign, ...this.#topology.exchanges.map((one) => one.name)]) {
      await channel.deleteExchange(name);
    }
    await connection.close();
  }
}
