import type { EventEmitter } from 'node:events';
import { type ChannelModel, connect } from 'amqplib';

const CONNECT_TIMEOUT_MS = 10_000;
const GUARDED = Symbol('guarded');

/**
 * Opens a connection that cannot end the process. amqplib 2.3.1 reads on before it hands a connection out: a broker
 * that boots and closes what it has just opened, in one packet, makes it emit `error` while nobody can listen yet.
 * So the listener is there before the first frame, and a connection that is over by the time we get it is refused.
 */
export async function openConnection(url: string, onEnd: () => void): Promise<ChannelModel> {
  await guard();
  const model = await connect(url, { timeout: CONNECT_TIMEOUT_MS, noDelay: true, keepAlive: true });
  model.on('error', onEnd);
  model.on('close', onEnd);
  const end = Reflect.get(model.connection, GUARDED);
  if (end !== undefined) throw end;
  return model;
}

/** The class inside amqplib that every connection is of. */
interface ConnectionClass {
  readonly prototype: EventEmitter & { acceptLoop(): void };
}

async function guard(): Promise<void> {
  const { prototype } = await connectionClass();
  if (Reflect.has(prototype.acceptLoop, GUARDED)) return;
  const original = prototype.acceptLoop;
  const guarded = function (this: EventEmitter): void {
    this.on('error', (error: unknown) => Reflect.set(this, GUARDED, error));
    this.on('close', (error: unknown) => Reflect.set(this, GUARDED, error ?? 'closed'));
    original.call(this as typeof prototype);
  };
  Reflect.set(guarded, GUARDED, true);
  prototype.acceptLoop = guarded;
}

async function connectionClass(): Promise<ConnectionClass> {
  // By its address: the package does not export it by name.
  const inside = await import(new URL('lib/connection.js', import.meta.resolve('amqplib')).href);
  return inside.default.Connection;
}
