import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without settings of the machine the tests run on. */
function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(NSQ_|DEBUG$|FORCE_COLOR$|NO_COLOR$)/.test(name),
  );
  return { ...Object.fromEntries(entries), ...extra };
}

/** A run of `bin/run.js`, or of a shell around it, as a user would start it. */
export class CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  #waiters: (() => void)[] = [];

  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}, cwd?: string) {
    // In a group of its own, so that a shell's children can be killed with it.
    this.child = spawn(command, args, { env: cleanEnvironment(environment), detached: true, cwd });
    this.child.stdout.on('data', (chunk) => this.#take(() => (this.stdout += chunk)));
    this.child.stderr.on('data', (chunk) => this.#take(() => (this.stderr += chunk)));
    this.child.stdin.on('error', () => {}); // it may end without reading all
    this.exited = new Promise((resolve) => {
      this.child.on('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
        this.#take(() => {});
      });
    });
  }

  /** Resolves with the match once the stream's text has it; rejects if the process ends before. */
  async waitFor(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        const { code } = await this.exited;
        const last = pattern.exec(this[stream]);
        if (last) return last;
        throw new Error(`ended with ${code} before ${pattern}: ${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** For the end of a test: at once, whatever is left. */
  async destroy(): Promise<void> {
    try {
      process.kill(-this.child.pid!, 'SIGKILL');
    } catch {
      // all gone
    }
    await this.exited;
  }

  #take(change: () => void): void {
    change();
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

export function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): CliProcess {
  return new CliProcess(process.execPath, [RUN, ...args], environment);
}

/** Runs to the end with `input` on the standard input. */
export async function nsq(
  args: readonly string[],
  { input = '', env = {} }: { input?: string | Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<Exit> {
  const run = start(args, env);
  run.child.stdin.end(input);
  return run.exited;
}

/** A broker process on free ports. */
export class Serve {
  readonly process: CliProcess;
  readonly tcpAddress: string;
  readonly httpAddress: string;

  private constructor(run: CliProcess, tcpAddress: string, httpAddress: string) {
    this.process = run;
    this.tcpAddress = tcpAddress;
    this.httpAddress = httpAddress;
  }

  static async start(
    dataPath: string,
    tcpAddress = '127.0.0.1:0',
    flags: readonly string[] = [],
  ): Promise<Serve> {
    const addresses = ['--tcp-address', tcpAddress, '--http-address', '127.0.0.1:0'];
    const run = start(['serve', '--data-path', dataPath, ...addresses, ...flags]);
    const [line] = await run.waitFor('stderr', /^\{.*"msg":"ready".*$/m);
    const ready = JSON.parse(line) as { tcpAddress: string; httpAddress: string };
    return new Serve(run, ready.tcpAddress, ready.httpAddress);
  }

  async stop(): Promise<Exit> {
    this.process.kill('SIGTERM');
    return this.process.exited;
  }

  /** The statistics of a topic, or `undefined`. */
  async topic(name: string): Promise<TopicStats | undefined> {
    const response = await fetch(
      `http://${this.httpAddress}/stats?format=json&topic=${encodeURIComponent(name)}`,
    );
    const { topics } = (await response.json()) as { topics: TopicStats[] | null };
    return topics?.[0];
  }

  /** All messages of a topic, as a consumer of its own channel `all` gets them. */
  async messages(topic: string, count: number): Promise<string> {
    const args = ['tail', '--topic', topic, '--channel', 'all', '-n', String(count)];
    const { stdout } = await nsq([...args, '--nsqd-tcp-address', this.tcpAddress]);
    return stdout;
  }
}

export interface TopicStats {
  readonly depth: number;
  readonly message_count: number;
  readonly channels: readonly {
    readonly channel_name: string;
    readonly depth: number;
    readonly in_flight_count: number;
    readonly deferred_count: number;
    readonly client_count: number;
  }[];
}

export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'nsq-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
