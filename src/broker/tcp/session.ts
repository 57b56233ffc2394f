import type { Socket } from 'node:net';
import { Command, type CommandLine } from '../../protocol/command-line.js';
import { CommandParser, type CommandSink } from '../../protocol/command-parser.js';
import { type ErrorCode, ProtocolError } from '../../protocol/errors.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET, MESSAGE_ID_LENGTH } from '../../protocol/message.js';
import { readHex32 } from '../../protocol/message-id.js';
import { isValidName } from '../../protocol/names.js';
import type { Broker } from '../broker.js';
import type { Channel } from '../channel.js';
import { monotonic } from '../clock.js';
import type { Consumer } from '../delivery/consumer.js';
import { messageOf } from '../errors.js';
import { writeAttempts } from '../log/record.js';
import type { Slab } from '../log/slab.js';
import { Deadline } from '../scheduler.js';
import type { Topic } from '../topic.js';
import type { CommitTicket, Flushable } from '../turn.js';
import { type ClientSettings, defaultClientSettings, identify } from './identify.js';
import { Output } from './output.js';
import { Replies, type ReplySink } from './replies.js';

/** A connection's state, with nsqd's numbers for it. */
export const SessionState = { Init: 0, Subscribed: 3, Closing: 4 } as const;

const HEARTBEAT = encodeFrame(FrameType.Response, '_heartbeat_');
const CLOSE_WAIT = encodeFrame(FrameType.Response, 'CLOSE_WAIT');
/** How long a connection that was refused may stay open so that the peer can read why, in ms. */
const LINGER = 2000;
/** Bytes of a topic that may wait to be written before its publishers are not read from. */
const MOST_UNCOMMITTED = 64 * 1024 * 1024;

/** How many messages a client published to a topic. */
export interface PubCount {
  topic: string;
  count: number;
}

/** One connection of protocol V2, after the magic: what its commands do. */
export class Session implements CommandSink, Consumer, ReplySink, Flushable {
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
  readonly #replies: Replies;
  readonly #heartbeat: Deadline;
  #channel: Channel | undefined;
  #receivedAt = monotonic();
  #heartbeatAt = Number.POSITIVE_INFINITY;
  #enlisted = false;
  /** Nothing more is read; the connection ends when the replies are out. */
  #ending = false;
  #ended = false;
  #gone = false;
  /** The topic that was published to last, and its name's bytes, so that the next command need not look it up. */
  #lastTopic: Topic | undefined;
  #lastName = Buffer.alloc(0);
  #lastCount: PubCount | undefined;
  #delay = 0;

  constructor(broker: Broker, socket: Socket, remoteAddress: string) {
    this.broker = broker;
    this.socket = socket;
    this.remoteAddress = remoteAddress;
    this.settings = defaultClientSettings(broker.settings, remoteAddress.replace(/:\d+$/, ''));
    this.#parser = new CommandParser(this, broker.settings);
    this.#output = new Output(socket);
    this.#replies = new Replies(this);
    this.#heartbeat = new Deadline((now) => this.#onHeartbeat(now));
    this.#armHeartbeat(monotonic());
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
    this.#replies.clear();
    this.#output.release();
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.removeConsumer(this);
  }

  capacity(): number {
    if (this.#ending || this.#output.full) return 0;
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
    this.#channel = undefined;
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
    // A client that publishes without reading its OKs is not read from either.
    if (this.#output.full && !this.#channel) this.socket.pause();
    if (this.#ending && !this.#replies.pending) {
      this.#ended = true;
      this.socket.end();
      this.broker.scheduler.arm(this.#heartbeat, monotonic() + LINGER);
    }
  }

  onHead(line: CommandLine): void {
    switch (line.command) {
      case Command.Pub:
        this.#needParams(line, 1, 'PUB');
        this.#checkTopic(line, 'PUB');
        return;
      case Command.Mpub:
        this.#needParams(line, 1, 'MPUB');
        this.#checkTopic(line, 'MPUB');
        return;
      case Command.Dpub:
        this.#needParams(line, 2, 'DPUB');
        this.#checkTopic(line, 'DPUB');
        this.#delay = this.#readDelay(line);
        return;
      case Command.Identify:
        if (this.state !== SessionState.Init) this.#wrongState('IDENTIFY');
        return;
      case Command.Auth:
        if (this.state !== SessionState.Init) this.#wrongState('AUTH');
        if (line.params !== 0) throw new ProtocolError('E_INVALID', 'AUTH invalid number of parameters');
        return;
      default:
    }
  }

  onCommand(line: CommandLine, body: Buffer, start: number, end: number): void {
    switch (line.command) {
      case Command.Fin:
        return this.#fin(line);
      case Command.Rdy:
        return this.#rdy(line);
      case Command.Pub:
        return this.#pub(line, body, start, end);
      case Command.Mpub:
        return this.#mpub(line, body, start, end);
      case Command.Dpub:
        return this.#dpub(line, body, start, end);
      case Command.Req:
        return this.#req(line);
      case Command.Touch:
        return this.#touch(line);
      case Command.Nop:
        return;
      case Command.Sub:
        return this.#sub(line);
      case Command.Cls:
        return this.#cls();
      case Command.Identify:
        return this.#identify(body.subarray(start, end));
      case Command.Auth:
        throw new ProtocolError('E_AUTH_DISABLED', 'AUTH disabled');
      default:
        throw new ProtocolError('E_INVALID', `invalid command ${line.name}`);
    }
  }

  #pub(line: CommandLine, body: Buffer, start: number, end: number): void {
    const topic = this.#topic(line);
    const ticket = topic.publish(this.broker.stamp(), body, start, end);
    this.#published(topic, ticket, 1, 'E_PUB_FAILED');
  }

  #mpub(line: CommandLine, body: Buffer, start: number, end: number): void {
    const topic = this.#topic(line);
    const ticket = topic.publishBatch(this.broker.stamp(), body, start, end, line.messages);
    this.#published(topic, ticket, line.messages, 'E_MPUB_FAILED');
  }

  #dpub(line: CommandLine, body: Buffer, start: number, end: number): void {
    const topic = this.#topic(line);
    const stamp = this.broker.stamp();
    const ticket =
      this.#delay === 0
        ? topic.publish(stamp, body, start, end)
        : topic.publishDeferred(stamp, body, start, end, Date.now() + this.#delay);
    this.#published(topic, ticket, 1, 'E_DPUB_FAILED');
  }

  /** Says OK when the messages are as safe as was promised. A client is not read from while too much is to be written. */
  #published(topic: Topic, ticket: CommitTicket, messages: number, code: ErrorCode): void {
    this.#lastCount!.count += messages;
    if (this.broker.settings.durability === 'memory') this.#replies.ok();
    else this.#replies.okWhen(ticket, code);
    if (topic.log.uncommitted < MOST_UNCOMMITTED) return;
    this.socket.pause();
    ticket.whenSettled(() => this.socket.resume());
  }

  #sub(line: CommandLine): void {
    if (this.state !== SessionState.Init) this.#wrongState('SUB');
    if (this.settings.heartbeatInterval <= 0) {
      throw new ProtocolError('E_INVALID', 'cannot SUB with heartbeats disabled');
    }
    this.#needParams(line, 2, 'SUB');
    this.#checkTopic(line, 'SUB');
    const topicName = line.param(0);
    const channelName = line.param(1);
    if (!isValidName(channelName)) {
      throw new ProtocolError('E_BAD_CHANNEL', `SUB channel name "${channelName}" is not valid`);
    }
    const channel = this.broker.topic(topicName).channel(channelName);
    if (!channel.addConsumer(this)) {
      const limit = this.broker.settings.maxChannelConsumers;
      const words = `SUB failed consumers for ${topicName}:${channelName} exceeds limit of ${limit}`;
      throw new ProtocolError('E_SUB_FAILED', words);
    }
    this.#channel = channel;
    this.state = SessionState.Subscribed;
    this.#replies.ok();
  }

  #rdy(line: CommandLine): void {
    if (this.state === SessionState.Closing) return;
    if (this.state !== SessionState.Subscribed) this.#wrongState('RDY');
    const count = line.params > 0 ? line.count(0) : 1;
    if (count < 0) throw new ProtocolError('E_INVALID', `RDY could not parse count ${line.param(0)}`);
    const { maxRdyCount } = this.broker.settings;
    if (count > maxRdyCount)
      throw new ProtocolError('E_INVALID', `RDY count ${count} out of range 0-${maxRdyCount}`);
    this.readyCount = count;
    this.#channel?.schedule();
  }

  #fin(line: CommandLine): void {
    const n = this.#messageNumber(line, 1, 'FIN');
    const channel = this.#channel;
    if (n === -1 || !channel?.finish(this, n)) return this.#notInFlight(line, 'FIN', 'E_FIN_FAILED', n);
    this.finishCount++;
    this.inFlightCount--;
  }

  #req(line: CommandLine): void {
    const n = this.#messageNumber(line, 2, 'REQ');
    const delay = line.count(1);
    if (delay < 0) throw new ProtocolError('E_INVALID', `REQ could not parse timeout ${line.param(1)}`);
    const { maxReqTimeout } = this.broker.settings;
    if (n === -1 || !this.#channel?.requeue(this, n, Math.min(delay, maxReqTimeout))) {
      return this.#notInFlight(line, 'REQ', 'E_REQ_FAILED', n);
    }
    this.requeueCount++;
    this.inFlightCount--;
  }

  #touch(line: CommandLine): void {
    const n = this.#messageNumber(line, 1, 'TOUCH');
    if (n === -1 || !this.#channel?.touch(this, n)) this.#notInFlight(line, 'TOUCH', 'E_TOUCH_FAILED', n);
  }

  #cls(): void {
    if (this.state !== SessionState.Subscribed) this.#wrongState('CLS');
    this.readyCount = 0;
    this.state = SessionState.Closing;
    this.#replies.reply(CLOSE_WAIT);
  }

  #identify(body: Buffer): void {
    const { settings, negotiates, snappy, deflate } = identify(body, this.settings, this.broker.settings);
    this.settings = settings;
    this.#armHeartbeat(monotonic());
    if (!negotiates) return this.#replies.ok();
    if (snappy && deflate) {
      throw new ProtocolError('E_IDENTIFY_FAILED', 'cannot enable both deflate and snappy compression');
    }
    const limits = this.broker.settings;
    const answer = {
      max_rdy_count: limits.maxRdyCount,
      version: this.broker.version,
      max_msg_timeout: Math.floor(limits.maxMsgTimeout),
      msg_timeout: Math.floor(settings.msgTimeout),
      tls_v1: false,
      deflate: false,
      deflate_level: Math.min(6, limits.maxDeflateLevel),
      max_deflate_level: limits.maxDeflateLevel,
      snappy: false,
      sample_rate: settings.sampleRate,
      auth_required: false,
      output_buffer_size: settings.outputBufferSize,
      output_buffer_timeout: Math.floor(settings.outputBufferTimeout),
      topology_region: limits.topologyRegion,
      topology_zone: limits.topologyZone,
    };
    this.#replies.reply(encodeFrame(FrameType.Response, JSON.stringify(answer)));
  }

  /** The number of the message that a command names, -1 if no message of the topic can be it. */
  #messageNumber(line: CommandLine, params: number, name: string): number {
    if (this.state !== SessionState.Subscribed && this.state !== SessionState.Closing) this.#wrongState(name);
    if (line.params < params) this.#needParams(line, params, name);
    const at = line.paramStart(0);
    if (line.paramEnd(0) - at !== MESSAGE_ID_LENGTH)
      throw new ProtocolError('E_INVALID', 'invalid message ID');
    const hi = readHex32(line.buf, at);
    const lo = readHex32(line.buf, at + 8);
    if (hi === -1 || lo === -1 || !this.#channel) return -1;
    return this.#channel.topic.log.segments.numberOf(hi, lo);
  }

  #notInFlight(
    line: CommandLine,
    name: string,
    code: 'E_FIN_FAILED' | 'E_REQ_FAILED' | 'E_TOUCH_FAILED',
    n: number,
  ): void {
    const why = n !== -1 && this.#channel?.isInFlight(n) ? 'client does not own message' : 'ID not in flight';
    const error = new ProtocolError(code, `${name} ${line.param(0)} failed ${why}`);
    this.broker.logger.error(`[${this.remoteAddress}] - ${error.line}`);
    this.#replies.reply(encodeFrame(FrameType.Error, error.line));
  }

  /** The topic that the command names, made if there is none. */
  #topic(line: CommandLine): Topic {
    if (this.#lastTopic && !this.#lastTopic.closed && this.#isLastName(line)) return this.#lastTopic;
    const name = line.param(0);
    const topic = this.broker.topic(name);
    this.#lastTopic = topic;
    this.#lastName = Buffer.from(name, 'latin1');
    let count = this.pubCounts.get(name);
    if (!count) {
      count = { topic: name, count: 0 };
      this.pubCounts.set(name, count);
    }
    this.#lastCount = count;
    return topic;
  }

  #isLastName(line: CommandLine): boolean {
    const name = this.#lastName;
    const start = line.paramStart(0);
    if (line.paramEnd(0) - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (line.buf[start + i] !== name[i]) return false;
    return true;
  }

  #checkTopic(line: CommandLine, command: string): void {
    if (this.#lastTopic && this.#isLastName(line)) return;
    const name = line.param(0);
    if (!isValidName(name))
      throw new ProtocolError('E_BAD_TOPIC', `${command} topic name "${name}" is not valid`);
  }

  #readDelay(line: CommandLine): number {
    const delay = line.count(1);
    const { maxReqTimeout } = this.broker.settings;
    if (delay < 0) throw new ProtocolError('E_INVALID', `DPUB could not parse timeout ${line.param(1)}`);
    if (delay > maxReqTimeout) {
      throw new ProtocolError(
        'E_INVALID',
        `DPUB timeout ${delay} out of range 0-${Math.floor(maxReqTimeout)}`,
      );
    }
    return delay;
  }

  #needParams(line: CommandLine, params: number, command: string): void {
    if (line.params >= params) return;
    throw new ProtocolError('E_INVALID', `${command} insufficient number of parameters`);
  }

  #wrongState(command: string): never {
    throw new ProtocolError('E_INVALID', `cannot ${command} in current state`);
  }

  /** Says what was wrong, and ends the connection. */
  #refuse(error: unknown): void {
    this.broker.logger.error(
      `[${this.remoteAddress}] - ${error instanceof ProtocolError ? error.line : messageOf(error)}`,
    );
    if (error instanceof ProtocolError) this.#replies.reply(encodeFrame(FrameType.Error, error.line));
    this.#end();
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
    this.#channel?.schedule();
  }

  #armHeartbeat(now: number): void {
    const { heartbeatInterval } = this.settings;
    this.broker.scheduler.disarm(this.#heartbeat);
    if (heartbeatInterval <= 0) return;
    this.#heartbeatAt = now + heartbeatInterval;
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
