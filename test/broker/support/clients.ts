import { RawClient, type RawClientOptions } from '../../support/raw-client.js';
import { type RawMessage, sized } from '../../support/wire.js';

/** Where a broker listens. */
export interface Address {
  readonly tcpAddress: string;
}

export interface SubscribeOptions extends RawClientOptions {
  /** Sent as RDY once it is subscribed; default 0, which sends none. */
  readonly ready?: number;
  /** Sent before SUB. */
  readonly identify?: Readonly<Record<string, unknown>>;
}

export function connect({ tcpAddress }: Address, options: RawClientOptions = {}): Promise<RawClient> {
  return RawClient.connect(tcpAddress, options);
}

export function identify(client: RawClient, fields: Readonly<Record<string, unknown>>): Promise<string> {
  return client.request('IDENTIFY\n', sized(JSON.stringify(fields)));
}

/** A client that has subscribed. */
export async function subscribe(
  broker: Address,
  topic: string,
  channel: string,
  { ready = 0, identify: fields, ...options }: SubscribeOptions = {},
): Promise<RawClient> {
  const client = await connect(broker, options);
  if (fields) await identify(client, fields);
  const answer = await client.request(`SUB ${topic} ${channel}\n`);
  if (answer !== 'OK') throw new Error(answer);
  if (ready > 0) client.send(`RDY ${ready}\n`);
  return client;
}

/** Takes so many messages. */
export async function take(client: RawClient, count: number): Promise<RawMessage[]> {
  const messages: RawMessage[] = [];
  while (messages.length < count) messages.push(await client.nextMessage());
  return messages;
}

export function texts(messages: readonly RawMessage[]): string[] {
  return messages.map(({ body }) => body.toString());
}

/** Takes so many messages, finishes each, and gives their bodies. */
export async function consume(client: RawClient, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const { id, body } = await client.nextMessage();
    client.send(`FIN ${id}\n`);
    bodies.push(body.toString());
  }
  return bodies;
}

/** Resolves when the broker has read all that the client sent before. */
export async function settled(client: RawClient): Promise<void> {
  const bogus = 'TOUCH 0000000000000000\n';
  const answer = await client.request(bogus).catch((error: Error) => error.message);
  if (!answer.startsWith('E_TOUCH_FAILED')) throw new Error(`instead of the answer to TOUCH: ${answer}`);
}

/** Takes no more messages; what was on the way is received and not finished. Resolves when the broker knows. */
export async function stop(client: RawClient): Promise<void> {
  client.send('RDY 0\nTOUCH 0000000000000000\n');
  while ((await client.next()).type === 'message');
}

/** Messages `<name> 0` to `<name> <count - 1>`. */
export function numbered(count: number, name = 'message'): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}
