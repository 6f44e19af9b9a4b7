import { BridgeError } from '../engine/errors.ts';
import { environment } from './environment.ts';

/** The address of RabbitMQ; throws `usage` when neither the environment nor a running sandbox says it. */
export function brokerUrl(): string {
  const url = environment()['AMQP_URL'];
  if (url === undefined || url === '')
    throw new BridgeError('usage', 'AMQP_URL is not set, and no sandbox runs here (npm start)');
  return url;
}

/** Says of anything that goes wrong with the broker that it was not reached, unless it knows better. */
export async function atBroker<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (thrown) {
    if (thrown instanceof BridgeError) throw thrown;
    throw new BridgeError('broker-unavailable', 'RabbitMQ was not reached', { cause: thrown });
  }
}
