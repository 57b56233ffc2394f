import type { Socket } from 'node:net';
import { CommandParser } from '../../protocol/command-parser.js';
import { ProtocolError } from '../../protocol/errors.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET } from '../../protocol/message.js';
import type { Broker } from '../broker.js';
import type { Channel } from '../channel.js';
import { monotonic } from '../clock.js';
import type { Consumer } from '../delivery/consumer.js';
import { messageOf } from '../errors.js';
import { writeAttempts } from '../log/record.js';
import type { Slab } from '../log/slab.js';
import { Deadline } from '../scheduler.js';
import type { Flushable } from '../turn.js';
import { Commands } from './commands.js';
import { type ClientSettings, defaultClientSettings } from './identify.js';
import { Output } from './output.js';
import { Replies, type ReplySink } from './replies.js';
import { type PubCount, SessionState } from './session-state.js';

const HEARTBEAT = encodeFrame(FrameType.Response, '_heartbeat_');
/** Bytes that wait for a consumer at most: more than it is ever given messages of at once. */
const MOST_UNREAD = 16 * 1024 * 1024;
/** How long a connection that was refused may stay open so that the peer can read why, in ms. */
const LINGER = 2000;
/** One connection of protocol V2, after the magic: its bytes in and out, its heartbeats, its state. */
export class Session implements Consumer, ReplySink, Flushable {
  readonly broker: Broker;
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly connectedAt = Date.now();
  readonly pubCounts = new Map<string, PubCount>();
  settings: ClientSettings;
  state: number = SessionState.Init;
  readyCount = 0;
  inFlightCount = 0;
  messageCount = 0;
  finishCount = 0;
  requeueCount = 0;
  readonly #parser: CommandParser;
  readonly #output: Output;
  readonly replies: Replies;
  readonly #heartbeat: Deadline;
  /** The channel that it subscribed to. */
  channel: Channel | undefined;
  #receivedAt = monotonic();
  #heartbeatAt = Number.POSITIVE_INFINITY;
  #enlisted = false;
  /** The channel had more than is sent in one turn. */
  #wantsMore = false;
  /** Nothing more is read; the connection ends when the replies are out. */
  #ending = false;
  #ended = false;
  #gone = false;

  constructor(broker: Broker, socket: Socket, remoteAddress: string) {
    this.broker = broker;
    this.socket = socket;
    this.remoteAddress = remoteAddress;
    this.settings = defaultClientSettings(broker.settings, hostOf(remoteAddress));
    this.#parser = new CommandParser(new Commands(this), broker.settings);
    this.#output = new Output(socket);
    this.replies = new Replies(this);
    this.#heartbeat = new Deadline((now) => this.#onHeartbeat(now));
    this.armHeartbeat();
    socket.on('drain', () => this.#onDrain());
  }

  get sampleRate(): number {
    return this.settings.sampleRate;
  }

  get msgTimeout(): number {
    return this.settings.msgTimeout;
  }

  /** The next bytes from the client. */
  receive(chunk: Buffer): void {
    if (this.#ending) return;
    this.#receivedAt = monotonic();
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** The client will send nothing more. */
  receivedEnd(): void {
    if (this.#ending) {
      this.socket.destroySoon();
      return;
    }
    try {
      this.#parser.end();
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#end();
  }

  /** The connection is gone. */
  close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#ending = true;
    this.broker.scheduler.disarm(this.#heartbeat);
    this.replies.clear();
    this.#output.release();
    this.#leave();
  }

  capacity(): number {
    if (this.#ending || this.#output.full) return 0;
    if (this.#output.enough) {
      this.#wantsMore = true;
      return 0;
    }
    return this.readyCount - this.inFlightCount;
  }

  sendRecords(slab: Slab, start: number, end: number, count: number): void {
    this.inFlightCount += count;
    this.messageCount += count;
    this.#output.writeSlab(slab, start, end);
    if (!this.#enlisted) this.#enlist();
  }

  sendAgain(slab: Slab, start: number, end: number, attempts: number): void {
    const { buf } = slab;
    this.inFlightCount++;
    this.messageCount++;
    const at = this.#output.reserve(BODY_OFFSET);
    const head = this.#output.buffer;
    buf.copy(head, at, start, start + ATTEMPTS_OFFSET);
    writeAttempts(head, at, attempts);
    buf.copy(head, at + ATTEMPTS_OFFSET + 2, start + ATTEMPTS_OFFSET + 2, start + BODY_OFFSET);
    this.#output.writeSlab(slab, start + BODY_OFFSET, end);
    if (!this.#enlisted) this.#enlist();
  }

  messagesGone(count: number): void {
    this.inFlightCount -= count;
  }

  channelClosed(): void {
    this.channel = undefined;
    this.#end();
  }

  /** Ends the connection, as when the broker stops. */
  shutdown(): void {
    this.#end();
  }

  send(frame: Buffer): void {
    this.#output.write(frame);
    if (!this.#enlisted) this.#enlist();
  }

  failed(error: ProtocolError): void {
    this.#refuse(error);
  }

  flush(): void {
    this.#enlisted = false;
    if (this.#gone || this.#ended) return;
    this.#output.flush();
    if (this.#wantsMore && !this.#output.full) this.channel?.schedule();
    this.#wantsMore = false;
    // A client that publishes without reading its OKs is not read from either. A consumer may be slow with its messages,
    // and still is to be heard, unless what it does not read are the answers to its commands.
    if (this.#output.full && (!this.channel || this.socket.writableLength > MOST_UNREAD)) this.socket.pause();
    if (this.#ending && !this.replies.pending) {
      this.#ended = true;
      this.socket.end();
      this.broker.scheduler.arm(this.#heartbeat, monotonic() + LINGER);
    }
  }

  /** Says what was wrong, and ends the connection. */
  #refuse(error: unknown): void {
    this.broker.logger.error(
      `[${this.remoteAddress}] - ${error instanceof ProtocolError ? error.line : messageOf(error)}`,
    );
    if (error instanceof ProtocolError) this.replies.reply(encodeFrame(FrameType.Error, error.line));
    this.#end();
    this.#leave();
  }

  /** Its messages go to others now, and not when the peer closes its side. */
  #leave(): void {
    const { channel } = this;
    this.channel = undefined;
    channel?.removeConsumer(this);
  }

  #end(): void {
    this.#ending = true;
    this.readyCount = 0;
    if (!this.#enlisted) this.#enlist();
  }

  #enlist(): void {
    this.#enlisted = true;
    this.broker.turn.flush(this);
  }

  #onDrain(): void {
    this.#output.drained();
    if (this.socket.isPaused()) this.socket.resume();
    this.channel?.schedule();
  }

  /** Begins to send heartbeats at the interval that holds now. */
  armHeartbeat(): void {
    const { heartbeatInterval } = this.settings;
    this.broker.scheduler.disarm(this.#heartbeat);
    if (heartbeatInterval <= 0) return;
    this.#heartbeatAt = monotonic() + heartbeatInterval;
    this.broker.scheduler.arm(this.#heartbeat, this.#heartbeatAt);
  }

  /** Sends a heartbeat, or ends a connection from which nothing came for two of them. */
  #onHeartbeat(now: number): void {
    const { heartbeatInterval } = this.settings;
    if (this.#ended || now >= this.#receivedAt + 2 * heartbeatInterval) {
      if (!this.#ended) this.broker.logger.warn(`[${this.remoteAddress}] - heartbeats missed, closing`);
      this.socket.destroy();
      return;
    }
    if (now >= this.#heartbeatAt) {
      this.#heartbeatAt += heartbeatInterval;
      this.send(HEARTBEAT);
    }
    const silentAt = this.#receivedAt + 2 * heartbeatInterval;
    this.broker.scheduler.arm(this.#heartbeat, Math.min(Math.max(this.#heartbeatAt, now + 1), silentAt));
  }
}

/** Without the port; '' for a unix socket. */
function hostOf(remoteAddress: string): string {
  return remoteAddress === '@' ? '' : remoteAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
