import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface VictimOptions {
  /** Command and first arguments, `serve` included. */
  readonly command: readonly string[];
  readonly dataPath: string;
  readonly flags: readonly string[];
}

const COMPLAINT = /"level":"?(error|fatal|50|60)|ERROR|FATAL/;
/** A publish that a limit kept out: the producer is told, too. */
export const REFUSAL = /E_[MD]?PUB_FAILED .*--max-topic-bytes is/;
const READY_MS = 20_000;
const LISTENING = {
  tcp: /TCP: listening on ([^\s"]+)/,
  http: /HTTP: listening on ([^\s"]+)/,
};

/** The broker's process, to be killed. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';
  #ended = false;

  constructor({ command, dataPath, flags }: VictimOptions) {
    const [program = '', ...first] = command;
    const args = [
      ...first,
      '--tcp-address=127.0.0.1:0',
      '--http-address=127.0.0.1:0',
      `--data-path=${dataPath}`,
      ...flags,
    ];
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#exited = once(this.#child, 'exit').then(() => {
      this.#ended = true;
      process.removeListener('exit', kill);
    });
    const read = (text: string): void => {
      this.#output += text;
    };
    this.#child.stdout?.setEncoding('utf8').on('data', read);
    this.#child.stderr?.setEncoding('utf8').on('data', read);
  }

  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The lines that tell of a fault. */
  get complaints(): string[] {
    const lines = this.#output.split('\n').filter((line) => COMPLAINT.test(line));
    return lines.filter((line) => !REFUSAL.test(line));
  }

  /** How many lines of the output say so. */
  count(what: RegExp): number {
    return this.#output.split('\n').filter((line) => what.test(line)).length;
  }

  /** Resolves with the addresses, `host:port` each, when it listens. */
  async ready(): Promise<{ tcp: string; http: string }> {
    const { promise, resolve, reject } = withResolvers<{ tcp: string; http: string }>();
    const look = (): void => {
      const tcp = LISTENING.tcp.exec(this.#output)?.[1];
      const http = LISTENING.http.exec(this.#output)?.[1];
      if (tcp && http) resolve({ tcp, http });
    };
    const timer = setTimeout(() => reject(new Error(`not ready:\n${this.#output}`)), READY_MS);
    this.#child.stdout?.on('data', look);
    this.#child.stderr?.on('data', look);
    void this.#exited.then(() => reject(new Error(`ended before it was ready:\n${this.#output}`)));
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** As `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM, and waits for the end. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}
