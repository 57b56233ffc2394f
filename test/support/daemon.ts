import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type CleanupScope, cleanup, tempDir } from './temp.js';

export interface DaemonOptions {
  /** Flags beside the addresses and the data path, Go style (`--msg-timeout=1500ms`). */
  readonly flags?: readonly string[];
  /** Default: a new temporary directory. Give it to start a daemon where another one ran; '' for one that has none. */
  readonly dataPath?: string;
  /** Command and first arguments; default `node bin/run.js serve`. Any program with the original's flags will do. */
  readonly command?: readonly string[];
  /** When it is killed and its temporary directory removed at the latest; default 'auto'. */
  readonly scope?: CleanupScope;
}

/** `exit` code, or the signal's name. */
export type ExitStatus = number | NodeJS.Signals;

const READY_MS = 15_000;
const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** What starts a daemon of ours. */
export function ownCommand(name: 'serve' | 'lookupd'): string[] {
  return [process.execPath, RUN, name];
}

/** What the daemons say about an address that they listen on, as a log line in words or in JSON. */
const LISTENING = {
  tcp: [/TCP: listening on ([^\s"]+)/, /"tcp(?:_?address)?":"([^"]+)"/i],
  http: [/HTTP: listening on ([^\s"]+)/, /"http(?:_?address)?":"([^"]+)"/i],
};

function address(output: string, patterns: readonly RegExp[]): string | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(output)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An nsqd-compatible daemon as a process of its own, on loopback and free ports; it is killed with the test. */
export class Daemon {
  /** `host:port` */
  readonly tcpAddress: string;
  /** `host:port` */
  readonly httpAddress: string;
  readonly dataPath: string;
  readonly #child: ChildProcess;
  readonly #output: () => string;
  readonly #exited: Promise<ExitStatus>;

  private constructor(
    child: ChildProcess,
    exited: Promise<ExitStatus>,
    output: () => string,
    addresses: { tcp: string; http: string },
    dataPath: string,
  ) {
    this.#child = child;
    this.#exited = exited;
    this.#output = output;
    this.tcpAddress = addresses.tcp;
    this.httpAddress = addresses.http;
    this.dataPath = dataPath;
  }

  /** Resolves when the daemon has said that it listens; rejects with what it printed when it ends or stays silent. */
  static async start(options: DaemonOptions = {}): Promise<Daemon> {
    const dataPath = options.dataPath ?? tempDir(options.scope);
    const [program = '', ...first] = options.command ?? ownCommand('serve');
    const args = [
      ...first,
      '--tcp-address=127.0.0.1:0',
      '--http-address=127.0.0.1:0',
      ...(dataPath === '' ? [] : [`--data-path=${dataPath}`]),
      ...(options.flags ?? []),
    ];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    const exited = new Promise<ExitStatus>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        process.removeListener('exit', kill);
        resolve(code ?? signal ?? 0);
      });
    });
    cleanup(() => {
      kill();
      return exited.catch(() => undefined);
    }, options.scope);
    let output = '';
    const addresses = await new Promise<{ tcp: string; http: string }>((resolve, reject) => {
      const fail = (what: string): void =>
        reject(new Error(`${[program, ...args].join(' ')}: ${what}\n${output}`));
      const timer = setTimeout(fail, READY_MS, `not ready after ${READY_MS} ms`);
      const read = (text: string): void => {
        output += text;
        const tcp = address(output, LISTENING.tcp);
        const http = address(output, LISTENING.http);
        if (tcp !== undefined && http !== undefined) {
          clearTimeout(timer);
          resolve({ tcp, http });
        }
      };
      child.stdout?.setEncoding('utf8').on('data', read);
      child.stderr?.setEncoding('utf8').on('data', read);
      exited.then(
        (status) => fail(`ended with ${status}`),
        (error: Error) => fail(error.message),
      );
    });
    return new Daemon(child, exited, () => output, addresses, dataPath);
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All that it has printed, stdout and stderr as they came. */
  get output(): string {
    return this.#output();
  }

  /** The exit status, when there is one. */
  get exited(): Promise<ExitStatus> {
    return this.#exited;
  }

  /** SIGTERM, and waits for the end. */
  stop(): Promise<ExitStatus> {
    return this.#signal('SIGTERM');
  }

  /** As `kill -9`: nothing is flushed, nothing said. */
  kill(): Promise<ExitStatus> {
    return this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): Promise<ExitStatus> {
    this.#child.kill(signal);
    return this.#exited;
  }
}
