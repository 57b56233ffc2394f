import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { messageFormat } from '../../../src/cli/tail/message-format.js';
import { Archiver, type ArchiverOptions } from '../../../src/cli/to-file/archiver.js';
import { DISK, type FileLayer } from '../../../src/cli/to-file/file-layer.js';
import { Consumer } from '../../../src/client/index.js';
import { countsOf, openBroker, statsOf } from '../../broker/support/brokers.js';
import { fakeNsqd } from '../../client/support/fake-nsqd.js';
import { until } from '../../lookupd/support/lookupd.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { recorder } from './support/logs.js';

const NEVER = 3_600_000;

function archiverAt(
  broker: Pick<Broker, 'tcpAddress'>,
  given: Partial<ArchiverOptions> & { gzip?: boolean; rotateSize?: number } = {},
) {
  const outputDir = tempDir();
  const { gzip = false, rotateSize = 0, ...options } = given;
  const { logger, lines } = recorder();
  const archiver = new Archiver({
    channel: 'c',
    source: { nsqdTcpAddresses: [broker.tcpAddress] },
    maxInFlight: 200,
    consumerOptions: {},
    fileNames: {
      filenameFormat: '<TOPIC><REV>',
      datetimeFormat: '',
      hostIdentifier: '',
      hostname: 'h',
      pid: 1,
      gzip,
      revisions: gzip || rotateSize > 0,
    },
    output: {
      outputDir,
      workDir: outputDir,
      gzipLevel: gzip ? 6 : undefined,
      rotateSize,
      rotateInterval: 0,
      endsLines: true,
    },
    format: messageFormat('line'),
    syncInterval: NEVER,
    skipEmptyFiles: false,
    files: DISK,
    now: Date.now,
    logger,
    ...options,
  });
  cleanup(() => archiver.stop());
  const text = (): string =>
    readdirSync(outputDir)
      .sort()
      .map((name) => readFileSync(join(outputDir, name)))
      .map((bytes) => String(gzip ? gunzipSync(bytes) : bytes))
      .join('');
  return { archiver, outputDir, lines, text };
}

const bodies = (count: number): string[] => Array.from({ length: count }, (_, at) => `message ${at}`);
const linesOf = (messages: readonly string[]): string => messages.map((body) => `${body}\n`).join('');
const left = (broker: Broker) => countsOf(broker.topic('t').channel('c'));
const DONE = { depth: 0, inFlight: 0, deferred: 0 };

async function publish(broker: Broker, messages: readonly string[]): Promise<void> {
  broker.topic('t').channel('c');
  for (const body of messages) await broker.publish('t', body);
}

/** A disk that keeps count of what happens on it. */
function watchedDisk(
  onSync: () => Promise<void> | void,
  onAppend: (bytes: number) => void = () => {},
): FileLayer {
  return {
    ...DISK,
    open: async (path, exclusive) => {
      const file = await DISK.open(path, exclusive);
      return {
        ...file,
        append: async (bytes) => {
          onAppend(bytes.length);
          await file.append(bytes);
        },
        sync: async () => {
          await onSync();
          await file.sync();
        },
      };
    },
  };
}

describe('Archiver', () => {
  test.each([{ gzip: false }, { gzip: true }])(
    '%j: everything is written once, in order, and finished',
    async (given) => {
      const broker = await openBroker();
      const messages = bodies(1000);
      await publish(broker, messages);
      const { archiver, text } = archiverAt(broker, { ...given, maxInFlight: 50 });
      await archiver.add('t');
      // The last ones wait for a sync: there is one at the end.
      await until(async () => left(broker).depth === 0);
      await archiver.stop();
      expect(text()).toBe(linesOf(messages));
      expect(left(broker)).toEqual(DONE);
    },
  );

  test('files end by size, at the same message whatever comes together', async () => {
    const broker = await openBroker();
    await publish(broker, ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee']);
    const { archiver, outputDir } = archiverAt(broker, { rotateSize: 9 });
    await archiver.add('t');
    await until(async () => readdirSync(outputDir).length === 3);
    await archiver.stop();
    const contents = readdirSync(outputDir).map((name) => readFileSync(join(outputDir, name), 'utf8'));
    expect(contents).toEqual(['aaaa\nbbbb\n', 'cccc\ndddd\n', 'eeee\n']);
  });

  test('nothing is finished while its sync is under way', async () => {
    const broker = await openBroker();
    await publish(broker, bodies(10));
    let release = (): void => {};
    let syncing = false;
    const files = watchedDisk(() => {
      syncing = true;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    const { archiver } = archiverAt(broker, { files, maxInFlight: 10 });
    await archiver.add('t');
    await until(async () => syncing && archiver.inFlight === 10);
    expect(left(broker)).toEqual({ depth: 0, inFlight: 10, deferred: 0 });
    const sync = setInterval(() => release(), 1);
    cleanup(() => clearInterval(sync));
    await until(async () => left(broker).inFlight === 0);
    await archiver.stop();
  });

  test('few messages are finished with the interval', async () => {
    const broker = await openBroker();
    await publish(broker, ['first']);
    const { archiver, text } = archiverAt(broker, { syncInterval: 20, gzip: true });
    await archiver.add('t');
    await until(async () => left(broker).depth + left(broker).inFlight === 0);
    await broker.publish('t', 'second');
    await until(async () => text() === 'first\nsecond\n');
    await until(async () => left(broker).depth + left(broker).inFlight === 0);
  });

  test('a message that came many times is written all the same', async () => {
    const broker = await openBroker();
    await publish(broker, ['stubborn']);
    const { archiver, text } = archiverAt(broker, { syncInterval: 20 });
    for (let attempt = 0; attempt < 7; attempt++) {
      const consumer = new Consumer({
        topic: 't',
        channel: 'c',
        nsqdTcpAddresses: broker.tcpAddress,
        maxAttempts: 0,
      });
      for await (const message of consumer) {
        message.requeue({ delay: 0 });
        break;
      }
      await consumer.close();
    }
    await archiver.add('t');
    await until(async () => left(broker).depth + left(broker).inFlight === 0);
    expect(text()).toBe('stubborn\n');
  });

  test('SIGHUP: the next message goes to the next file', async () => {
    const broker = await openBroker();
    await publish(broker, ['a']);
    const { archiver, outputDir } = archiverAt(broker, { gzip: true });
    await archiver.add('t');
    await until(async () => left(broker).depth + left(broker).inFlight === 0);
    archiver.rotate();
    await broker.publish('t', 'b');
    await until(async () => readdirSync(outputDir).length === 2);
    await archiver.stop();
    expect(readdirSync(outputDir)).toEqual(['t-000000.gz', 't-000001.gz']);
  });

  test('empty files: one from the start, or none', async () => {
    const broker = await openBroker();
    await publish(broker, []);
    const [usual, skipping] = [
      archiverAt(broker, { syncInterval: 5, gzip: true }),
      archiverAt(broker, { syncInterval: 5, gzip: true, skipEmptyFiles: true }),
    ];
    await Promise.all([usual.archiver.add('t'), skipping.archiver.add('t')]);
    await until(async () => readdirSync(usual.outputDir).length === 1);
    expect(readdirSync(skipping.outputDir)).toEqual([]);
  });

  test.each([{ gzip: false }, { gzip: true }])(
    '%j: a full disk: nothing more is finished, all of the rest comes again',
    async (given) => {
      const broker = await openBroker();
      const messages = bodies(300);
      await publish(broker, messages);
      let room = 1000;
      const files = watchedDisk(
        () => {},
        (bytes) => {
          room -= bytes;
          if (room < 0)
            throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        },
      );
      const { archiver, text } = archiverAt(broker, { ...given, files, maxInFlight: 20 });
      await archiver.add('t');
      await expect(archiver.failed).rejects.toThrow(/^cannot write to .*: no space left on device$/);
      await archiver.stop();
      const kept = text();
      const rest = left(broker);
      expect(rest.inFlight).toBe(0);
      const finished = messages.length - rest.depth - rest.deferred;
      expect(finished).toBeGreaterThan(0);
      expect(kept.startsWith(linesOf(messages.slice(0, finished)))).toBe(true);
    },
  );

  test('the end: what nsqd has gathered and sends with its answer to CLS is written and finished', async () => {
    const gathered = ['b', 'c', 'd'];
    const nsqd = await fakeNsqd({
      on: {
        RDY: (peer, { params }) => {
          if (params[0] !== '0') peer.message([1, 'a']);
        },
        CLS: (peer) => {
          peer.message(...gathered.map((body, at) => [at + 2, body] as const));
          peer.respond('CLOSE_WAIT');
        },
      },
    });
    const { archiver, text } = archiverAt({ tcpAddress: nsqd.address });
    await archiver.add('t');
    await until(async () => text() === 'a\n');
    await archiver.stop();
    const peer = await nsqd.peer();
    await peer.closed();
    expect(text()).toBe(linesOf(['a', ...gathered]));
    expect([peer.count('FIN'), peer.count('REQ')]).toEqual([4, 0]);
  });

  test('one of two nsqds is enough to start with; none is not', async () => {
    const broker = await openBroker();
    await publish(broker, ['a']);
    const one = archiverAt(broker, { source: { nsqdTcpAddresses: ['127.0.0.1:1', broker.tcpAddress] } });
    await one.archiver.add('t');
    await until(async () => one.archiver.inFlight === 1 || left(broker).depth + left(broker).inFlight === 0);
    expect(one.lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringMatching(/no connection: 127\.0\.0\.1:1: .*connecting again/),
    ]);
    const none = archiverAt(broker, { source: { nsqdTcpAddresses: ['127.0.0.1:1'] } });
    await expect(none.archiver.add('t')).rejects.toMatchObject({ code: 'E_CONNECT' });
  });

  test('a topic that is removed leaves no connection behind', async () => {
    const broker = await openBroker();
    await publish(broker, []);
    const { archiver } = archiverAt(broker);
    await archiver.add('t');
    expect(archiver.isConnected('t')).toBe(true);
    await archiver.remove('t');
    expect([archiver.isConnected('t'), archiver.topics]).toEqual([false, []]);
    await until(async () => statsOf(broker).topics?.[0]?.channels?.[0]?.clients?.length === 0);
  });
});
