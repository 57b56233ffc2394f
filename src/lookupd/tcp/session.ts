import { hostname } from 'node:os';
import { ProtocolError } from '../../protocol/errors.js';
import { goJson } from '../../protocol/go-json.js';
import { encodeLookupAnswer } from '../../protocol/lookup-answer.js';
import { checkLookupNames, LOOKUP_MAGIC } from '../../protocol/lookup-commands.js';
import { LookupReader } from '../../protocol/lookup-reader.js';
import type { Lookupd } from '../lookupd.js';
import { parseIdentity } from '../peer-identity.js';
import type { Peer } from '../registration.js';
import { NSQLOOKUPD_VERSION } from '../version.js';

const OK = encodeLookupAnswer('OK');
/** Bytes of a body's size. */
const SIZE = 4;

/** Where a session's answers go. */
export interface SessionOutput {
  send(bytes: Buffer): void;
  /** Closes the connection once all is sent. */
  end(): void;
}

/** One broker's connection: its bytes in, answers out. All its registrations go with it. */
export class Session {
  readonly #lookupd: Lookupd;
  readonly #remote: string;
  readonly #output: SessionOutput;
  readonly #reader = new LookupReader();
  #answers: Buffer[] = [];
  #state: 'magic' | 'line' | 'body' | 'over' = 'magic';
  #peer: Peer | undefined;

  constructor(lookupd: Lookupd, remote: string, output: SessionOutput) {
    this.#lookupd = lookupd;
    this.#remote = remote;
    this.#output = output;
  }

  receive(chunk: Buffer): void {
    if (this.#state === 'over') return;
    this.#reader.push(chunk);
    this.#run(() => {
      while (this.#step());
    });
  }

  /** The broker sends no more. */
  receivedEnd(): void {
    if (this.#state === 'over') return;
    this.#run(() => {
      if (this.#state === 'body') {
        const what = this.#reader.buffered < SIZE ? 'body size' : 'body';
        throw new ProtocolError('E_BAD_BODY', `IDENTIFY failed to read ${what}`);
      }
      this.#close();
    });
  }

  /** Forgets what the connection registered. */
  leave(): void {
    this.#state = 'over';
    const peer = this.#peer;
    if (!peer) return;
    this.#peer = undefined;
    for (const [topic, channels] of this.#lookupd.db.removePeer(peer)) {
      for (const channel of channels) this.#logRegistration('UNREGISTER', 'channel', topic, channel);
      this.#logRegistration('UNREGISTER', 'topic', topic, '');
    }
    this.#logRegistration('UNREGISTER', 'client', '', '');
  }

  #run(steps: () => void): void {
    try {
      steps();
      this.#flush();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#lookupd.logger.error(`[${this.#remote}] - ${error.line}`);
      this.#answers.push(encodeLookupAnswer(error.line));
      this.#close();
    }
  }

  #flush(): void {
    if (this.#answers.length === 0) return;
    this.#output.send(this.#answers.length === 1 ? this.#answers[0]! : Buffer.concat(this.#answers));
    this.#answers = [];
  }

  #close(): void {
    this.#flush();
    this.leave();
    this.#output.end();
  }

  /** Takes one thing from what was received; false if nothing is whole. */
  #step(): boolean {
    if (this.#state === 'magic') return this.#magic();
    if (this.#state === 'body') return this.#identify();
    const line = this.#reader.line();
    if (line === undefined) return false;
    const [command = '', ...params] = line.split(' ');
    const answer = this.#command(command, params);
    if (answer) this.#answers.push(answer);
    return true;
  }

  #magic(): boolean {
    const magic = this.#reader.bytes(LOOKUP_MAGIC.length);
    if (!magic) return false;
    if (!magic.equals(LOOKUP_MAGIC)) throw new ProtocolError('E_BAD_PROTOCOL', '');
    this.#state = 'line';
    return true;
  }

  /** The answer, if it does not wait for a body. */
  #command(command: string, params: readonly string[]): Buffer | undefined {
    switch (command) {
      case 'PING':
        return this.#ping();
      case 'IDENTIFY':
        if (this.#peer) throw new ProtocolError('E_INVALID', 'cannot IDENTIFY again');
        this.#state = 'body';
        return undefined;
      case 'REGISTER':
        return this.#register(params);
      case 'UNREGISTER':
        return this.#unregister(params);
      default:
        throw new ProtocolError('E_INVALID', `invalid command ${command}`);
    }
  }

  #ping(): Buffer {
    if (this.#peer) {
      const silence = this.#lookupd.db.ping(this.#peer);
      this.#lookupd.logger.debug(
        `CLIENT(${this.#remote}): pinged (${Math.round(silence)} ms after the last)`,
      );
    }
    return OK;
  }

  #identify(): boolean {
    const body = this.#reader.block();
    if (!body) return false;
    const info = parseIdentity(body, this.#remote);
    this.#peer = this.#lookupd.db.addPeer(this.#remote, info);
    const { broadcast_address, tcp_port, http_port, version } = info;
    this.#lookupd.logger.info(
      `CLIENT(${this.#remote}): IDENTIFY Address:${broadcast_address} TCP:${tcp_port} HTTP:${http_port} Version:${version}`,
    );
    this.#logRegistration('REGISTER', 'client', '', '');
    this.#answers.push(encodeLookupAnswer(goJson(this.#introduction())));
    this.#state = 'line';
    return true;
  }

  #introduction(): Record<string, string | number> {
    return {
      broadcast_address: this.#lookupd.settings.broadcastAddress,
      hostname: hostname(),
      http_port: this.#lookupd.httpPort,
      tcp_port: this.#lookupd.tcpPort,
      version: NSQLOOKUPD_VERSION,
    };
  }

  #register(params: readonly string[]): Buffer {
    const { peer, topic, channel } = this.#target('REGISTER', params);
    const added = this.#lookupd.db.register(peer, topic, channel);
    for (const name of added.channels) this.#logRegistration('REGISTER', 'channel', topic, name);
    if (added.topic) this.#logRegistration('REGISTER', 'topic', topic, '');
    return OK;
  }

  #unregister(params: readonly string[]): Buffer {
    const { peer, topic, channel } = this.#target('UNREGISTER', params);
    const removed = this.#lookupd.db.unregister(peer, topic, channel);
    for (const name of removed.channels) this.#logRegistration('UNREGISTER', 'channel', topic, name);
    if (removed.topic) this.#logRegistration('UNREGISTER', 'topic', topic, '');
    return OK;
  }

  #target(command: string, params: readonly string[]): { peer: Peer; topic: string; channel: string } {
    if (!this.#peer) throw new ProtocolError('E_INVALID', 'client must IDENTIFY');
    const [topic, channel = ''] = params;
    if (topic === undefined) throw new ProtocolError('E_INVALID', `${command} insufficient number of params`);
    checkLookupNames(command, topic, channel);
    return { peer: this.#peer, topic, channel };
  }

  #logRegistration(what: string, category: string, key: string, subkey: string): void {
    this.#lookupd.logger.info(
      `DB: client(${this.#remote}) ${what} category:${category} key:${key} subkey:${subkey}`,
    );
  }
}
