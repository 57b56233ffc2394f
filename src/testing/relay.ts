import net from 'node:net';
import { encodeFrame, FrameType } from '../protocol/frame.js';
import { FrameDecoder } from '../protocol/frame-decoder.js';
import { CommandReader, publishedBodies, type SentCommand } from './command-reader.js';
import type { Faults } from './faults.js';

/** What a {@link Relay} tells its owner. */
export interface RelayOwner {
  readonly faults: Faults;
  /** The broker has taken these messages. */
  published(topic: string, bodies: readonly Buffer[]): void;
  /** Something happened that may have changed a channel. */
  stirred(): void;
  closed(relay: Relay): void;
}

const PUBLISHES: ReadonlySet<string> = new Set(['PUB', 'MPUB', 'DPUB']);
const ANSWERED: ReadonlySet<string> = new Set(['IDENTIFY', 'AUTH', 'SUB', 'CLS', ...PUBLISHES]);
/** Error frames that answer no command which has an answer. */
const NO_ANSWER = /^E_(?:FIN|REQ|TOUCH)_FAILED\b/;

/**
 * One client's connection on its way to the broker: passes bytes on in both directions, reads along, and lets go wrong
 * what is to go wrong.
 *
 *     client ─ commands ─→ (faults) ─→ broker
 *     client ←──────────── frames ──── broker
 */
export class Relay {
  readonly #client: net.Socket;
  readonly #broker: net.Socket;
  readonly #owner: RelayOwner;
  readonly #reader = new CommandReader();
  readonly #decoder = new FrameDecoder({ maxFrameSize: 0x7ffffff0 });
  /** Commands passed on that the broker has yet to answer. */
  readonly #asked: SentCommand[] = [];
  /** To be done once these are answered; the client's commands wait meanwhile. */
  #whenAnswered: (() => void) | undefined;
  /** The last of these answers is kept from the client. */
  #swallows = false;
  #waiting: SentCommand[] = [];
  /** Encrypted or compressed from here on: nothing can be read along. */
  #isOpaque = false;
  /** Refused: what still comes from either side goes nowhere. */
  #isOver = false;
  #isClosed = false;
  #subscription: readonly string[] = [];

  constructor(client: net.Socket, brokerAddress: string, owner: RelayOwner) {
    this.#client = client;
    this.#owner = owner;
    const { hostname, port } = new URL(`tcp://${brokerAddress}`);
    this.#broker = net.connect({ host: hostname, port: Number(port), noDelay: true });
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    this.#broker.on('data', (chunk: Buffer) => this.#fromBroker(chunk));
    client.on('end', () => this.#broker.end());
    this.#broker.on('end', () => client.end());
    client.on('close', () => this.destroy());
    this.#broker.on('close', () => {
      if (!this.#isOver) this.destroy();
    });
    for (const socket of [client, this.#broker]) socket.on('error', () => this.destroy());
  }

  /** Ends both sides at once. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.destroy();
    this.#broker.destroy();
    this.#owner.closed(this);
    this.#owner.stirred();
  }

  #fromClient(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#isOpaque) {
      this.#broker.write(chunk);
      return;
    }
    const commands = this.#reader.push(chunk);
    if (this.#whenAnswered) this.#waiting.push(...commands);
    else this.#handleAll(commands);
    if (this.#reader.isGarbled) this.#turnOpaque();
  }

  #handleAll(commands: readonly SentCommand[]): void {
    for (const [index, command] of commands.entries()) {
      if (this.#isClosed || this.#isOver) return;
      this.#handle(command);
      if (this.#whenAnswered) {
        this.#waiting.push(...commands.slice(index + 1));
        return;
      }
    }
  }

  #handle(command: SentCommand): void {
    const { name } = command;
    if (name === 'SUB') this.#subscription = command.params;
    if (PUBLISHES.has(name)) this.#publish(command);
    else if (name === 'FIN') this.#finish(command);
    else this.#pass(command);
  }

  #publish(command: SentCommand): void {
    const fault = this.#owner.faults.ofPublish(command);
    if (fault === undefined) this.#pass(command);
    else if (fault.disconnect === 'after') {
      this.#pass(command);
      this.#swallows = true;
      this.#onceAnswered(() => this.destroy());
    } else if (fault.disconnect === 'before') this.#onceAnswered(() => this.destroy());
    else this.#onceAnswered(() => this.#refuse(`${fault.code ?? `E_${command.name}_FAILED`} by test`));
  }

  /** As nsqd does: such an error ends the connection. */
  #refuse(line: string): void {
    this.#isOver = true;
    this.#broker.end();
    this.#client.end(encodeFrame(FrameType.Error, line));
  }

  #finish(command: SentCommand): void {
    const [topic, channel] = this.#subscription;
    if (this.#owner.faults.ofFinish(topic, channel)) {
      const line = `E_FIN_FAILED FIN ${command.params[0] ?? ''} failed by test`;
      this.#client.write(encodeFrame(FrameType.Error, line));
    } else {
      this.#pass(command);
    }
  }

  #pass(command: SentCommand): void {
    if (ANSWERED.has(command.name)) this.#asked.push(command);
    // The callback comes when the bytes are on their way: what is asked of the broker then, it answers after them.
    this.#broker.write(command.bytes, () => this.#owner.stirred());
  }

  #onceAnswered(act: () => void): void {
    if (this.#asked.length === 0) act();
    else this.#whenAnswered = act;
  }

  #fromBroker(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#isOpaque) {
      this.#client.write(chunk);
      return;
    }
    this.#decoder.push(chunk, (type, bytes, start, end) => {
      const data = bytes.subarray(start, end);
      const isLast = this.#asked.length === 1;
      const isAnswer = type !== FrameType.Message && this.#answered(type, data);
      if (!(isAnswer && isLast && this.#swallows)) this.#client.write(encodeFrame(type, data));
    });
    if (this.#whenAnswered && this.#asked.length === 0) {
      const act = this.#whenAnswered;
      this.#whenAnswered = undefined;
      act();
      this.#handleAll(this.#waiting.splice(0));
    }
    this.#owner.stirred();
  }

  /** Notes the answer to the oldest command; false for a frame that answers none. */
  #answered(type: FrameType, data: Buffer): boolean {
    const text = data.toString('latin1', 0, 64);
    if (text === '_heartbeat_' || (type === FrameType.Error && NO_ANSWER.test(text))) return false;
    const command = this.#asked.shift();
    if (command === undefined || type === FrameType.Error) return true;
    if (command.name === 'IDENTIFY') this.#identified(data);
    else if (PUBLISHES.has(command.name))
      this.#owner.published(command.params[0] ?? '', publishedBodies(command));
    return true;
  }

  #identified(data: Buffer): void {
    const answer = data.toString();
    if (/"(?:tls_v1|snappy|deflate)":\s*true/.test(answer)) this.#turnOpaque();
  }

  #turnOpaque(): void {
    this.#isOpaque = true;
    this.#broker.write(this.#reader.takeRest());
  }
}
