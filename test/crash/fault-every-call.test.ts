import { expect, test } from 'vitest';
import { batchBody, LoggerNotes, STAMP } from '../broker/log/support/logs.js';
import { type FaultableCall, fileError, MemoryFiles } from '../broker/log/support/memory-files.js';
import { openTopic, Reader } from './support/memory-topic.js';

/** How so many calls go wrong, one after the other. */
const WAYS = [
  ['EIO', 1],
  ['ENOSPC', 6],
  ['short', 1],
  ['short', 6],
] as const;
type Kind = (typeof WAYS)[number][0];
const MAX_BYTES_PER_FILE = 600;
/** Calls that only make room: what they fail at is made up for later. */
const HARMLESS: readonly FaultableCall[] = ['close'];

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const settle = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await tick();
};

interface Outcome {
  files: MemoryFiles;
  confirmed: Set<string>;
  refused: Set<string>;
  finished: Set<string>;
  calls: number;
  healthy: boolean;
}

/** A topic's day, while the calls from `from` up to before `to` go wrong. */
async function run(from: number, to: number, kind: Kind): Promise<Outcome> {
  const files = new MemoryFiles();
  const confirmed = new Set<string>();
  const refused = new Set<string>();
  const finished = new Set<string>();
  let calls = 0;
  const errors = new Map<string, Error>();
  const { topic, scheduler } = openTopic(files, MAX_BYTES_PER_FILE, new LoggerNotes(), (_, part, error) => {
    if (error) errors.set(part, error);
    else errors.delete(part);
  });
  files.fault = (call) => {
    const at = calls++;
    if (at < from || at >= to || HARMLESS.includes(call)) return undefined;
    return kind === 'short' ? 1 : fileError(kind);
  };
  topic.channel('a');
  topic.channel('b');
  const reader = new Reader(topic, 'a', ({ body, n }) => {
    setImmediate(() => {
      if (Number(body.slice(1)) % 3 === 0) topic.channel('a').requeue(reader, n, 0);
      else if (topic.channel('a').finish(reader, n)) finished.add(body);
    });
  });
  reader.ready = 3;
  topic.channel('a').addConsumer(reader);
  let next = 0;
  const publish = (count: number): void => {
    const bodies = Array.from({ length: count }, () => `m${next++}`);
    const body = count === 1 ? Buffer.from(bodies[0]!) : batchBody(bodies);
    const ticket =
      count === 1
        ? topic.publish(STAMP, body, 0, body.length)
        : topic.publishBatch(STAMP, body, 0, body.length, count);
    ticket.whenSettled((error) => {
      for (const it of bodies) (error ? refused : confirmed).add(it);
    });
  };
  for (let round = 0; round < 10; round++) {
    publish(1);
    publish(4);
    await tick();
    if (round === 3) topic.channel('b').pause(true);
    if (round === 6) topic.sync();
    await tick();
  }
  files.fault = () => {
    calls++;
    return undefined;
  };
  topic.channel('a').removeConsumer(reader);
  publish(1);
  await settle();
  // A journal that failed is tried again after a while.
  const journalIsBad = errors.has('journal');
  if (journalIsBad) {
    await new Promise((resolve) => setTimeout(resolve, 260));
    topic.writeJournal();
    // Until then, where it lacked a channel, the topic took nothing.
    publish(1);
    await settle();
  }
  topic.sync();
  for (let i = 0; i < 100 && errors.has('sync'); i++) await tick();
  const crashed = files.clone();
  scheduler.close();
  topic.log.abandon();
  return { files: crashed, confirmed, refused, finished, calls, healthy: errors.size === 0 };
}

async function check({ files, confirmed, refused, finished, healthy }: Outcome): Promise<string[]> {
  const faults: string[] = healthy ? [] : ['health is not well again'];
  const { topic, scheduler } = openTopic(files, MAX_BYTES_PER_FILE, new LoggerNotes());
  for (const name of ['a', 'b']) {
    const channel = topic.channels.get(name);
    if (!channel) {
      faults.push(`${name} is gone`);
      continue;
    }
    if (channel.paused !== (name === 'b')) faults.push(`${name} is paused or not`);
    channel.pause(false);
    const seen = new Set<string>();
    const reader = new Reader(topic, name, ({ body, n }) => {
      if (seen.has(body)) faults.push(`${body} came twice to ${name}`);
      if (refused.has(body)) faults.push(`${body} was refused and came to ${name}`);
      if (name === 'a' && finished.has(body)) faults.push(`${body} was finished and came again`);
      seen.add(body);
      setImmediate(() => channel.finish(reader, n));
    });
    channel.addConsumer(reader);
    channel.schedule();
    for (let i = 0; i < 2000 && channel.depth + channel.inFlightCount > 0; i++) await tick();
    for (const body of confirmed) {
      if (!seen.has(body) && !(name === 'a' && finished.has(body)))
        faults.push(`${body} is missing in ${name}`);
    }
  }
  scheduler.close();
  await topic.close();
  return faults;
}

test('whatever file call fails: what was confirmed is there, what was refused is not, health comes back', async () => {
  const whole = await run(-1, -1, 'EIO');
  expect(await check(whole)).toEqual([]);
  expect(whole.refused.size).toBe(0);
  const faults: string[] = [];
  let refusals = 0;
  const runs: Promise<void>[] = [];
  for (const [kind, length] of WAYS) {
    for (let from = 0; from < whole.calls; from++) {
      runs.push(
        run(from, from + length, kind).then(async (outcome) => {
          refusals += outcome.refused.size;
          const found = await check(outcome);
          faults.push(...found.map((fault) => `${fault} (${kind}, ${length} calls from ${from})`));
        }),
      );
    }
  }
  await Promise.all(runs);
  expect(faults.slice(0, 20)).toEqual([]);
  expect(refusals).toBeGreaterThan(100);
}, 120_000);
