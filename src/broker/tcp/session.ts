import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tlsReason } from '../../net/tls-reason.js';
import { CommandParser } from '../../protocol/command-parser.js';
import { ProtocolError } from '../../protocol/errors.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET } from '../../protocol/message.js';
import { SessionAuth } from '../auth/session-auth.js';
import type { Broker } from '../broker.js';
import type { Channel } from '../channel.js';
import { monotonic } from '../clock.js';
import type { Consumer } from '../delivery/consumer.js';
import type { Place } from '../delivery/proximity.js';
import { messageOf } from '../errors.js';
import { writeAttempts } from '../log/record.js';
import type { Slab } from '../log/slab.js';
import { Deadline } from '../scheduler.js';
import { commonNameOf } from '../tls/tls-stats.js';
import type { Flushable } from '../turn.js';
import { Commands } from './commands.js';
import { type ClientSettings, defaultClientSettings } from './identify.js';
import { Output } from './output.js';
import { Replies, type ReplySink } from './replies.js';
import { type PubCount, SessionState } from './session-state.js';
import { type EncodedSink, type SessionStream, Upgrade, type UpgradeSteps } from './upgrade.js';

const HEARTBEAT = encodeFrame(FrameType.Response, '_heartbeat_');
/** Bytes that wait for a consumer at most: more than it is ever given messages of at once. */
const MOST_UNREAD = 16 * 1024 * 1024;
/** How long a connection that was refused may stay open so that the peer can read why, in ms. */
const LINGER = 2000;
/** One connection of protocol V2, after the magic: its bytes in and out, its heartbeats, its state. */
export class Session implements Consumer, ReplySink, Flushable {
  readonly broker: Broker;
  /** What it is read and written by: the socket, or what was put on top of it. */
  stream: SessionStream;
  /** Undefined without TLS. */
  secured: TLSSocket | undefined;
  /** Undefined: it is as it was accepted. */
  upgradedBy: UpgradeSteps | undefined;
  /** Undefined where everybody may do everything. */
  readonly auth: SessionAuth | undefined;
  /** TLS is required, and not there yet. */
  needsTls: boolean;
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
  readonly #socket: Socket;
  /** Takes what comes from the socket, when that is not commands yet. */
  #encoded: EncodedSink | undefined;
  #upgrade: Upgrade | undefined;
  /** It is neither what it was nor what it is to be: nothing may be written. */
  #upgrading = false;
  /** A command waits for an answer from elsewhere. */
  #held = false;
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
    this.#socket = socket;
    this.stream = socket;
    this.remoteAddress = remoteAddress;
    this.needsTls = broker.tlsRequired.tcp;
    const remoteIp = hostOf(remoteAddress);
    this.settings = defaultClientSettings(broker.settings, remoteIp);
    if (broker.auth) {
      this.auth = new SessionAuth(broker.auth, broker.logger, () => ({
        remoteAddress,
        remoteIp,
        tls: this.secured !== undefined,
        commonName: commonNameOf(this.secured),
      }));
    }
    this.#parser = new CommandParser(new Commands(this), broker.settings);
    this.#output = new Output(socket);
    this.replies = new Replies(this);
    this.#heartbeat = new Deadline((now) => this.#onHeartbeat(now));
    this.armHeartbeat();
    socket.on('drain', this.#onDrain);
  }

  get place(): Place {
    return this.settings;
  }

  get sampleRate(): number {
    return this.settings.sampleRate;
  }

  get msgTimeout(): number {
    return this.settings.msgTimeout;
  }

  /** The next bytes from the socket. */
  receive(chunk: Buffer): void {
    if (this.#encoded) this.#encoded.feed(chunk);
    else this.#read(chunk);
  }

  /** The socket will give nothing more. */
  receivedEnd(): void {
    if (this.#encoded) this.#encoded.feedEnd();
    else if (this.stream === this.#socket) this.#readEnd();
  }

  readonly #read = (chunk: Buffer): void => {
    if (this.#ending) return;
    this.#receivedAt = monotonic();
    try {
      this.#parser.push(chunk);
      if (this.#output.crowded) this.flush();
    } catch (error) {
      this.#refuse(error);
    }
  };

  /** The client will send nothing more. */
  readonly #readEnd = (): void => {
    if (this.#ending) {
      this.stream.destroySoon();
      return;
    }
    try {
      this.#parser.end();
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#end();
  };

  /** What is to become of the connection once the answer to IDENTIFY, which was given just now, is written. */
  upgrade(steps: UpgradeSteps): void {
    this.#parser.stop();
    this.#upgrade = new Upgrade(
      {
        socket: this.#socket,
        tls: this.broker.tls,
        log: (step) => this.broker.logger.info(`[${this.remoteAddress}] ${step}`),
        route: (sink) => {
          this.#encoded = sink;
        },
        upgraded: (stream, secured) => this.#upgraded(stream, secured, steps),
        failed: (error) => {
          this.#encoded = undefined;
          this.#upgrading = false;
          this.#refuse(error);
        },
      },
      steps,
    );
  }

  #upgraded(stream: SessionStream, secured: TLSSocket | undefined, steps: UpgradeSteps): void {
    this.#upgrade = undefined;
    this.#upgrading = false;
    this.secured = secured;
    this.upgradedBy = steps;
    if (secured) this.needsTls = false;
    this.stream = stream;
    this.#output.redirect(stream);
    stream.on('drain', this.#onDrain);
    stream.on('data', this.#read);
    stream.on('end', this.#readEnd);
    stream.on('error', (error: Error) =>
      this.broker.logger.error(`[${this.remoteAddress}] - ${tlsReason(error)}`),
    );
    this.#goOn();
  }

  /** Does no command until `work` is done, then what it came to, and the commands that came meanwhile. */
  hold(work: Promise<() => void>): void {
    this.#held = true;
    this.#parser.stop();
    this.stream.pause();
    const goOn = (next: () => void): void => {
      this.#held = false;
      if (this.#ending) return;
      this.#receivedAt = monotonic();
      this.#goOn(next);
      if (!this.#held) this.stream.resume();
    };
    work.then(goOn, (error: unknown) => goOn(() => this.#refuse(error)));
  }

  #goOn(first?: () => void): void {
    try {
      first?.();
      if (!this.#ending && !this.#held) this.#parser.resume();
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** The connection is gone. */
  close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#ending = true;
    this.#upgrade?.cancel();
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
    if (this.#upgrading) {
      if (this.#ending) this.#socket.destroy();
      return;
    }
    this.#output.flush();
    if (this.#wantsMore && !this.#output.full) this.channel?.schedule();
    this.#wantsMore = false;
    // A client that publishes without reading its OKs is not read from either. A consumer may be slow with its messages,
    // and still is to be heard, unless what it does not read are the answers to its commands.
    if (this.#output.full && (!this.channel || this.stream.writableLength > MOST_UNREAD)) this.stream.pause();
    if (this.#ending && !this.replies.pending) {
      this.#ended = true;
      this.stream.end();
      this.broker.scheduler.arm(this.#heartbeat, monotonic() + LINGER);
    } else if (this.#upgrade && !this.replies.pending) {
      this.#upgrading = true;
      this.#socket.off('drain', this.#onDrain);
      this.#upgrade.begin(this.#parser.takeRest());
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

  readonly #onDrain = (): void => {
    this.#output.drained();
    if (this.stream.isPaused() && !this.#held) this.stream.resume();
    this.channel?.schedule();
  };

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
      this.stream.destroy();
      return;
    }
    if (now >= this.#heartbeatAt) {
      this.#heartbeatAt += heartbeatInterval;
      if (!this.#upgrade) this.send(HEARTBEAT);
    }
    const silentAt = this.#receivedAt + 2 * heartbeatInterval;
    this.broker.scheduler.arm(this.#heartbeat, Math.min(Math.max(this.#heartbeatAt, now + 1), silentAt));
  }
}

/** Without the port; '' for a unix socket. */
function hostOf(remoteAddress: string): string {
  return remoteAddress === '@' ? '' : remoteAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
