import { Command, type CommandLine } from '../../protocol/command-line.js';
import type { CommandSink } from '../../protocol/command-parser.js';
import { type ErrorCode, ProtocolError } from '../../protocol/errors.js';
import { encodeFrame, FrameType } from '../../protocol/frame.js';
import { MESSAGE_ID_LENGTH } from '../../protocol/message.js';
import { readHex32 } from '../../protocol/message-id.js';
import { isValidName } from '../../protocol/names.js';
import { goJson } from '../auth/go-json.js';
import type { Permissions } from '../auth/permissions.js';
import type { SessionAuth } from '../auth/session-auth.js';
import { messageOf } from '../errors.js';
import type { Topic } from '../topic.js';
import type { CommitTicket } from '../turn.js';
import { identify } from './identify.js';
import { negotiate } from './negotiation.js';
import type { Session } from './session.js';
import { type PubCount, SessionState } from './session-state.js';

const CLOSE_WAIT = encodeFrame(FrameType.Response, 'CLOSE_WAIT');
/** Bytes of a topic that may wait to be written before its publishers are not read from. */
const MOST_UNCOMMITTED = 64 * 1024 * 1024;

/** What a client is told if its messages cannot be kept. */
const PUBLISH_FAILED: Readonly<Partial<Record<Command, ErrorCode>>> = {
  [Command.Pub]: 'E_PUB_FAILED',
  [Command.Mpub]: 'E_MPUB_FAILED',
  [Command.Dpub]: 'E_DPUB_FAILED',
};

/** What the commands of protocol V2 do. The hot ones (PUB, MPUB, FIN, RDY) make no string and no copy on the way. */
export class Commands implements CommandSink {
  readonly #session: Session;
  /** The topic that was published to last, and its name's bytes, so that the next command need not look it up. */
  #lastTopic: Topic | undefined;
  #lastName = Buffer.alloc(0);
  #lastCount: PubCount | undefined;
  /** The delay of the DPUB whose body is being read, in ms. */
  #delay = 0;
  /** What allowed to publish to the last topic. */
  #allowedBy: Permissions | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  onHead(line: CommandLine): void {
    if (this.#session.needsTls) this.#refusePlain(line);
    switch (line.command) {
      case Command.Pub:
        this.#needParams(line, 1, 'PUB');
        this.#checkTopic(line, 'PUB');
        return;
      case Command.Mpub:
        this.#needParams(line, 1, 'MPUB');
        this.#checkTopic(line, 'MPUB');
        if (this.#session.auth?.isStale === false) this.#session.auth.check('MPUB', line.param(0), '');
        return;
      case Command.Dpub:
        this.#needParams(line, 2, 'DPUB');
        this.#checkTopic(line, 'DPUB');
        this.#delay = this.#readDelay(line);
        return;
      case Command.Identify:
        if (this.#session.state !== SessionState.Init) this.#wrongState('IDENTIFY');
        return;
      case Command.Auth:
        if (this.#session.state !== SessionState.Init) this.#wrongState('AUTH');
        if (line.params !== 0) throw new ProtocolError('E_INVALID', 'AUTH invalid number of parameters');
        return;
      default:
    }
  }

  onCommand(line: CommandLine, body: Buffer, start: number, end: number): void {
    if (this.#session.needsTls) this.#refusePlain(line);
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
        return this.#sub(line, body);
      case Command.Cls:
        return this.#cls();
      case Command.Identify:
        return this.#identify(body.subarray(start, end));
      case Command.Auth:
        return this.#auth(body.toString('utf8', start, end));
      default:
        throw new ProtocolError('E_INVALID', `invalid command ${line.name}`);
    }
  }

  /** Before TLS, where it is required, there is only IDENTIFY. */
  #refusePlain(line: CommandLine): void {
    if (line.command === Command.Identify) return;
    throw new ProtocolError('E_INVALID', `cannot ${line.name} in current state (TLS required)`);
  }

  #pub(line: CommandLine, body: Buffer, start: number, end: number): void {
    const { auth } = this.#session;
    if (auth && !this.#mayGo(auth, line, body, start, end, '')) return;
    const topic = this.#topic(line);
    const ticket = topic.publish(this.#session.broker.stamp(), body, start, end);
    this.#published(topic, ticket, 1, 'E_PUB_FAILED');
  }

  #mpub(line: CommandLine, body: Buffer, start: number, end: number): void {
    const { auth } = this.#session;
    if (auth && !this.#mayGo(auth, line, body, start, end, '')) return;
    const topic = this.#topic(line);
    const ticket = topic.publishBatch(this.#session.broker.stamp(), body, start, end, line.messages);
    this.#published(topic, ticket, line.messages, 'E_MPUB_FAILED');
  }

  #dpub(line: CommandLine, body: Buffer, start: number, end: number): void {
    const { auth } = this.#session;
    if (auth && !this.#mayGo(auth, line, body, start, end, '')) return;
    const topic = this.#topic(line);
    const stamp = this.#session.broker.stamp();
    const ticket =
      this.#delay === 0
        ? topic.publish(stamp, body, start, end)
        : topic.publishDeferred(stamp, body, start, end, Date.now() + this.#delay);
    this.#published(topic, ticket, 1, 'E_DPUB_FAILED');
  }

  /** Says OK when the messages are as safe as was promised. A client is not read from while too much is to be written. */
  #published(topic: Topic, ticket: CommitTicket, messages: number, code: ErrorCode): void {
    if (!ticket.error) this.#lastCount!.count += messages;
    if (topic.oksAtOnce && !ticket.error) this.#session.replies.ok();
    else this.#session.replies.okWhen(ticket, code);
    if (topic.log.uncommitted < MOST_UNCOMMITTED) return;
    this.#session.stream.pause();
    ticket.whenSettled(() => this.#session.stream.resume());
  }

  #sub(line: CommandLine, body: Buffer): void {
    if (this.#session.state !== SessionState.Init) this.#wrongState('SUB');
    if (this.#session.settings.heartbeatInterval <= 0) {
      throw new ProtocolError('E_INVALID', 'cannot SUB with heartbeats disabled');
    }
    this.#needParams(line, 2, 'SUB');
    this.#checkTopic(line, 'SUB');
    const topicName = line.param(0);
    const channelName = line.param(1);
    if (!isValidName(channelName)) {
      throw new ProtocolError('E_BAD_CHANNEL', `SUB channel name "${channelName}" is not valid`);
    }
    const { auth } = this.#session;
    if (auth && !this.#mayGo(auth, line, body, 0, 0, channelName)) return;
    const channel = this.#openTopic(topicName, 'E_SUB_FAILED').channel(channelName);
    if (!channel.addConsumer(this.#session)) {
      const limit = this.#session.broker.settings.maxChannelConsumers;
      const words = `SUB failed consumers for ${topicName}:${channelName} exceeds limit of ${limit}`;
      throw new ProtocolError('E_SUB_FAILED', words);
    }
    this.#session.channel = channel;
    this.#session.state = SessionState.Subscribed;
    this.#session.replies.ok();
  }

  #rdy(line: CommandLine): void {
    if (this.#session.state === SessionState.Closing) return;
    if (this.#session.state !== SessionState.Subscribed) this.#wrongState('RDY');
    const count = line.params > 0 ? line.count(0) : 1;
    if (count < 0) throw new ProtocolError('E_INVALID', `RDY could not parse count ${line.param(0)}`);
    const { maxRdyCount } = this.#session.broker.settings;
    if (count > maxRdyCount)
      throw new ProtocolError('E_INVALID', `RDY count ${count} out of range 0-${maxRdyCount}`);
    this.#session.readyCount = count;
    this.#session.channel?.schedule();
  }

  #fin(line: CommandLine): void {
    const n = this.#messageNumber(line, 1, 'FIN');
    const channel = this.#session.channel;
    if (n === -1 || !channel?.finish(this.#session, n))
      return this.#notInFlight(line, 'FIN', 'E_FIN_FAILED', n);
    this.#session.finishCount++;
    this.#session.inFlightCount--;
  }

  #req(line: CommandLine): void {
    const n = this.#messageNumber(line, 2, 'REQ');
    const delay = line.count(1);
    if (delay < 0) throw new ProtocolError('E_INVALID', `REQ could not parse timeout ${line.param(1)}`);
    const { maxReqTimeout } = this.#session.broker.settings;
    if (n === -1 || !this.#session.channel?.requeue(this.#session, n, Math.min(delay, maxReqTimeout))) {
      return this.#notInFlight(line, 'REQ', 'E_REQ_FAILED', n);
    }
    this.#session.requeueCount++;
    this.#session.inFlightCount--;
  }

  #touch(line: CommandLine): void {
    const n = this.#messageNumber(line, 1, 'TOUCH');
    if (n === -1 || !this.#session.channel?.touch(this.#session, n))
      this.#notInFlight(line, 'TOUCH', 'E_TOUCH_FAILED', n);
  }

  #cls(): void {
    if (this.#session.state !== SessionState.Subscribed) this.#wrongState('CLS');
    this.#session.readyCount = 0;
    this.#session.state = SessionState.Closing;
    this.#session.replies.reply(CLOSE_WAIT);
  }

  #identify(body: Buffer): void {
    const { broker } = this.#session;
    const identified = identify(body, this.#session.settings, broker.settings);
    this.#session.settings = identified.settings;
    this.#session.armHeartbeat();
    if (!identified.negotiates) return this.#session.replies.ok();
    const { answer, upgrade } = negotiate(identified, broker);
    if (upgrade && this.#session.upgradedBy)
      throw new ProtocolError('E_IDENTIFY_FAILED', 'IDENTIFY failed the connection was upgraded before');
    this.#session.replies.reply(encodeFrame(FrameType.Response, answer));
    if (upgrade) this.#session.upgrade(upgrade);
  }

  #auth(secret: string): void {
    const { auth } = this.#session;
    if (auth?.isAuthorized) throw new ProtocolError('E_INVALID', 'AUTH already set');
    if (!auth) throw new ProtocolError('E_AUTH_DISABLED', 'AUTH disabled');
    const answered = auth.login(secret).then(({ identity, identityUrl, count }) => () => {
      const answer = { identity, identity_url: identityUrl, permission_count: count };
      this.#session.replies.reply(encodeFrame(FrameType.Response, goJson(answer)));
    });
    this.#session.hold(answered);
  }

  /**
   * Whether the client may. If that is to be asked for again, the command is done over when the answer is there.
   * @throws ProtocolError E_AUTH_FIRST or E_UNAUTHORIZED
   */
  #mayGo(
    auth: SessionAuth,
    line: CommandLine,
    body: Buffer,
    start: number,
    end: number,
    channel: string,
  ): boolean {
    if (!auth.isStale) {
      if (channel === '' && this.#lastTopic && this.#allowedBy === auth.permissions && this.#isLastName(line))
        return true;
      auth.check(line.name, line.param(0), channel);
      if (channel === '') this.#allowedBy = auth.permissions;
      return true;
    }
    line.detach();
    const copy = Buffer.from(body.subarray(start, end));
    this.#session.hold(auth.renew().then(() => () => this.onCommand(line, copy, 0, copy.length)));
    return false;
  }

  /** The number of the message that a command names, -1 if no message of the topic can be it. */
  #messageNumber(line: CommandLine, params: number, name: string): number {
    if (this.#session.state !== SessionState.Subscribed && this.#session.state !== SessionState.Closing)
      this.#wrongState(name);
    if (line.params < params) throw new ProtocolError('E_INVALID', `${name} insufficient number of params`);
    const at = line.paramStart(0);
    if (line.paramEnd(0) - at !== MESSAGE_ID_LENGTH)
      throw new ProtocolError('E_INVALID', 'invalid message ID');
    const hi = readHex32(line.buf, at);
    const lo = readHex32(line.buf, at + 8);
    if (hi === -1 || lo === -1 || !this.#session.channel) return -1;
    return this.#session.channel.topic.log.segments.numberOf(hi, lo);
  }

  #notInFlight(
    line: CommandLine,
    name: string,
    code: 'E_FIN_FAILED' | 'E_REQ_FAILED' | 'E_TOUCH_FAILED',
    n: number,
  ): void {
    const why =
      n !== -1 && this.#session.channel?.isInFlight(n) ? 'client does not own message' : 'ID not in flight';
    const error = new ProtocolError(code, `${name} ${line.param(0)} failed ${why}`);
    this.#session.broker.logger.error(`[${this.#session.remoteAddress}] - ${error.line}`);
    this.#session.replies.reply(encodeFrame(FrameType.Error, error.line));
  }

  /** The topic that the command names, made if there is none. */
  #topic(line: CommandLine): Topic {
    if (this.#lastTopic && !this.#lastTopic.closed && this.#isLastName(line)) return this.#lastTopic;
    const name = line.param(0);
    const topic = this.#openTopic(name, PUBLISH_FAILED[line.command] ?? 'E_PUB_FAILED');
    this.#lastTopic = topic;
    this.#lastName = Buffer.from(name, 'latin1');
    let count = this.#session.pubCounts.get(name);
    if (!count) {
      count = { topic: name, count: 0 };
      this.#session.pubCounts.set(name, count);
    }
    this.#lastCount = count;
    return topic;
  }

  /** A topic that cannot be stored is refused to the client that asks for it. */
  #openTopic(name: string, code: ErrorCode): Topic {
    try {
      return this.#session.broker.topic(name);
    } catch (cause) {
      throw new ProtocolError(code, `${code.slice(2).replace('_FAILED', '')} failed ${messageOf(cause)}`, {
        cause,
      });
    }
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
    const { maxReqTimeout } = this.#session.broker.settings;
    if (delay < 0) throw new ProtocolError('E_INVALID', `DPUB could not parse timeout ${line.param(1)}`);
    if (delay > maxReqTimeout) {
      throw new ProtocolError(
        'E_INVALID',
        `DPUB timeout ${BigInt(line.param(1))} out of range 0-${Math.floor(maxReqTimeout)}`,
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
}
