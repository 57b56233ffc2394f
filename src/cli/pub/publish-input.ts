import { Producer, type ProducerOptions } from '../../client/index.js';
import { count } from '../count.js';
import { Interruption } from '../interruption.js';
import type { Terminal } from '../terminal.js';
import { readRecords } from './input.js';
import { Pacer } from './pacer.js';
import { Publication, type Receipt } from './publication.js';

const PROGRESS_MS = 200;

export interface PublishInputOptions {
  readonly topic: string;
  /** Every message goes to each of them, or with `any` to one of them. */
  readonly addresses: readonly string[];
  readonly any: boolean;
  /** The messages; none means the files or the standard input. */
  readonly bodies: readonly Buffer[];
  readonly files: readonly string[];
  readonly delimiter: Buffer | undefined;
  readonly deferMs: number;
  readonly batch: number;
  /** Messages a second; 0 for no limit. */
  readonly rate: number;
  readonly producerOptions: ProducerOptions;
  readonly terminal: Terminal;
}

export interface Outcome {
  readonly receipt: Receipt;
  readonly durationMs: number;
  /** A signal ended the input. */
  readonly interrupted: boolean;
  /** Why not all of the input was published. */
  readonly failure?: unknown;
}

/** Publishes arguments, files or the standard input to the end, or until a signal. */
export async function publishInput(options: PublishInputOptions): Promise<Outcome> {
  const { terminal, topic } = options;
  const addresses = [...new Set(options.addresses)];
  const targets = options.any ? [addresses] : addresses.map((address) => [address]);
  const producers = new Map(
    targets.map((nsqdTcpAddress) => [
      nsqdTcpAddress.join(' or '),
      new Producer({ ...options.producerOptions, nsqdTcpAddress }),
    ]),
  );
  const interruption: Interruption = new Interruption(
    (line) => terminal.say(line),
    () => (publication.inFlight === 0 ? '' : `${count(publication.inFlight, 'message')} in flight`),
  );
  const { signal } = interruption;
  const publication = new Publication({
    topic,
    publishers: producers,
    batch: options.batch,
    deferMs: options.deferMs,
    pacer: new Pacer(options.rate),
    signal,
  });
  const start = performance.now();
  const publish = async (): Promise<undefined> => {
    const stopProgress = await showProgress(publication, options);
    await publishAll(publication, options, signal).finally(stopProgress);
  };
  const failed = (error: unknown): { readonly failure: unknown } => ({ failure: error });
  try {
    const connected = Promise.all([...producers.values()].map((producer) => producer.connect()));
    const unreached = await connected.then(() => undefined, failed);
    const failure = unreached ?? (await publish().catch(failed));
    const notAccepted = unreached ? options.bodies.length : publication.receipt.notAccepted;
    return {
      receipt: {
        ...publication.receipt,
        nsqd: addresses,
        notAccepted,
        ...(options.any ? { any: true } : {}),
      },
      durationMs: performance.now() - start,
      interrupted: signal.aborted,
      ...failure,
    };
  } finally {
    await Promise.allSettled([...producers.values()].map((producer) => producer.close()));
    interruption.dispose();
  }
}

async function publishAll(
  publication: Publication,
  { bodies, files, delimiter }: PublishInputOptions,
  signal: AbortSignal,
): Promise<undefined> {
  const input = bodies.length > 0 ? [bodies] : readRecords({ files, delimiter, signal });
  try {
    for await (const records of input) {
      await publication.add(records);
      if (signal.aborted) break;
    }
  } finally {
    await publication.finish();
  }
}

/** A spinner with count and rate while a stream is published; returns what takes it away. */
async function showProgress(
  publication: Publication,
  { bodies, files, terminal }: PublishInputOptions,
): Promise<() => void> {
  if (bodies.length > 0) return () => {};
  if (files.length === 0 && process.stdin.isTTY) {
    terminal.say('reading messages from the terminal, one a line; Ctrl-D ends');
    return () => {};
  }
  const progress = await terminal.progress('publishing');
  if (!progress) return () => {};
  const start = performance.now();
  const timer = setInterval(() => {
    const rate = publication.accepted / ((performance.now() - start) / 1000);
    progress.show(`${count(publication.accepted, 'message')}, ${Math.round(rate).toLocaleString('en')}/s`);
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
    progress.stop();
  };
}
