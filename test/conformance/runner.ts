import { readFileSync } from 'node:fs';
import { RawClient } from '../support/raw-client.js';
import type { Framing } from '../support/wire.js';
import { compareFrames } from './frames.js';
import { performHttp } from './http.js';
import type { Case, Recording, Step } from './recording.js';
import { encodePart, fillTopic } from './recording.js';

/** Where the daemon under test listens. */
export interface Target {
  readonly host: string;
  readonly tcpPort: number;
  readonly httpPort: number;
}

/** The recorder's patience where a step names none. It says nothing of the daemon, so a slow machine may have more. */
const DEFAULT_QUIET_S = 0.25;
const PATIENCE_MS = 3000;

/** Reads a recording of this directory by its name without `.json`. */
export function readRecording(name: string): Recording {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as Recording;
}

/** Whether a case asks for more than the original daemon does. */
export function asksForMore(recorded: Case): boolean {
  return recorded.steps.some((step) => 'recv' in step && step.better === true);
}

class CaseRun {
  readonly #target: Target;
  readonly #topic: string;
  readonly #framing: Framing;
  readonly #clients = new Map<string, RawClient>();

  constructor(target: Target, topic: string, framing: Framing) {
    this.#target = target;
    this.#topic = topic;
    this.#framing = framing;
  }

  async perform(step: Step): Promise<void> {
    if ('open' in step) await this.#open(step.open, step.magic);
    else if ('send' in step)
      this.#client(step.on).send(
        ...step.send.map((part) => encodePart(part, this.#topic, (ref) => this.#id(ref))),
      );
    else if ('recv' in step) await this.#receive(step);
    else if ('close' in step) this.#client(step.close).close();
    else if ('sleep' in step) await new Promise((resolve) => setTimeout(resolve, step.sleep * 1000));
    else await performHttp(this.#target, fillTopic(step, this.#topic));
  }

  end(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #open(name: string, magic: string | undefined): Promise<void> {
    const client = await RawClient.connect(`${this.#target.host}:${this.#target.tcpPort}`, {
      framing: this.#framing,
      magic: magic ?? (this.#framing === 'plain' ? '  V1' : '  V2'),
      scope: 'file',
    });
    this.#clients.set(name, client);
  }

  async #receive(step: Extract<Step, { recv: unknown }>): Promise<void> {
    const client = this.#client(step.on);
    const wanted = fillTopic(step.recv, this.#topic);
    if (step.quiet === undefined && step.for === undefined) {
      if (step.closed)
        await client.ended(PATIENCE_MS).catch(() => undefined); // the comparison says what is wrong
      else await client.arrival(wanted.length, PATIENCE_MS);
    }
    const got =
      step.for === undefined
        ? await client.collectQuiet((step.quiet ?? DEFAULT_QUIET_S) * 1000)
        : await client.collectFor(step.for * 1000);
    compareFrames({ frames: wanted, closed: step.closed ?? false }, got, step.unordered ?? false);
  }

  #client(name: string): RawClient {
    const client = this.#clients.get(name);
    if (client === undefined) throw new Error(`no connection ${name} was opened`);
    return client;
  }

  #id(reference: string): string | undefined {
    const [name = '', index] = reference.split(':');
    return this.#client(name).messages[Number(index)]?.id;
  }
}

/** Runs one case; rejects with the first step that the daemon answered in another way than the recorded one did. */
export async function runCase(target: Target, recording: Recording, recorded: Case): Promise<void> {
  const topic = `conformance_${recording.cases.indexOf(recorded)}`;
  const run = new CaseRun(target, topic, recording.daemon === 'nsqlookupd' ? 'plain' : 'typed');
  try {
    for (const [index, step] of recorded.steps.entries()) {
      try {
        await run.perform(step);
      } catch (error) {
        (error as Error).message =
          `step ${index} ${JSON.stringify(step).slice(0, 200)}: ${(error as Error).message}`;
        throw error;
      }
    }
  } finally {
    run.end();
  }
}
