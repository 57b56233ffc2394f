import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTestBroker, type TestBroker } from '../../src/testing/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES: Readonly<Record<string, string>> = {
  nsq: join(ROOT, 'src/client/index.ts'),
  'nsq/testing': join(ROOT, 'src/testing/index.ts'),
};
const directory = mkdtempSync(join(tmpdir(), 'nsq-docs-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Block {
  /** Its heading, and which block under it. */
  readonly name: string;
  readonly code: string;
  readonly runs: boolean;
}

function blocksOf(page: string): Block[] {
  const counts = new Map<string, number>();
  let heading = '';
  return [...page.matchAll(/^#+ (?<heading>.+)$|^```ts(?<run> run)?\n(?<code>[\s\S]*?)^```$/gm)].flatMap(
    ({ groups = {} }) => {
      if (groups.heading !== undefined) heading = groups.heading;
      if (groups.code === undefined) return [];
      const count = (counts.get(heading) ?? 0) + 1;
      counts.set(heading, count);
      return [{ name: `${heading} ${count}`, code: groups.code, runs: groups.run !== undefined }];
    },
  );
}

const blocks = blocksOf(readFileSync(join(ROOT, 'docs/CLIENT.md'), 'utf8'));

describe('docs/CLIENT.md', () => {
  it('has blocks that compile', () => {
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    const files = blocks.map(({ code }, index) => {
      const file = join(directory, `block-${index}.ts`);
      writeFileSync(file, `${code}\nexport {};\n`);
      return file;
    });
    const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
    const program = ts.createProgram(files, {
      ...options,
      noEmit: true,
      paths: Object.fromEntries(Object.entries(MODULES).map(([name, file]) => [name, [file]])),
      typeRoots: [join(ROOT, 'node_modules/@types')],
    });
    const wrong = files.flatMap((file, index) => {
      const source = program.getSourceFile(file);
      return ts
        .getPreEmitDiagnostics(program, source)
        .map(
          ({ messageText }) => `${blocks[index]?.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
        );
    });
    expect(wrong).toEqual([]);
  }, 60_000);
});

interface Closable {
  close(options?: { timeout?: number }): Promise<void>;
}

/** What the running block's clients are told, and where they are noted: see {@link SHIM}. */
const world: { address: string; clients: Closable[] } = { address: '', clients: [] };
Object.assign(globalThis, { nsqDocs: world });

/** The library as the page's reader has it, but for the address of the broker. */
const SHIM = `
import { Consumer as C, Producer as P } from '${MODULES.nsq}';
export * from '${MODULES.nsq}';
const world = globalThis.nsqDocs;
export class Consumer extends C {
  constructor(options) { super({ nsqdTcpAddresses: world.address, ...options }); world.clients.push(this); }
}
export class Producer extends P {
  constructor(options) { super({ nsqdTcpAddress: world.address, ...options }); world.clients.push(this); }
}`;

interface Run {
  /** Before the block runs. */
  readonly before?: (broker: TestBroker) => unknown;
  /** While it runs; its clients are closed afterwards. */
  readonly during?: (broker: TestBroker) => Promise<unknown>;
  /** What it has said, at the end. */
  readonly says?: readonly unknown[];
}

/** Stands for the broker's. */
const ADDRESS = Symbol('address');

const RUNS: Readonly<Record<string, Run>> = {
  'Five minutes 1': {
    during: async (broker) => expect(await broker.collect('orders').first(6)).toHaveLength(6),
  },
  'Five minutes 2': {
    before: (broker) => broker.publish('orders', 'a', 'b'),
    during: (broker) => broker.drained('orders', 'billing'),
    says: ['a', 'b'],
  },
  'Backpressure 1': {
    during: (broker) => broker.collect('numbers').first(20_000),
    says: ['0 failed'],
  },
  'Consume 1': {
    before: (broker) => broker.publish('orders', 'a', 'b'),
    during: (broker) => broker.drained('orders', 'audit'),
    says: ['a', 'b'],
  },
  'A worker with concurrency 1': {
    before: (broker) => broker.publish('images', '{"path":"1.png"}', '{"path":"2.png"}'),
    during: (broker) => broker.drained('images', 'thumbnails'),
    says: ['1.png', '2.png'],
  },
  'Dead letters 1': {
    before: (broker) => broker.publish('payments', '20 euros'),
    during: async (broker) => {
      const [dead] = await broker.collect('payments.dead').first(1);
      expect(dead?.text()).toBe('20 euros');
      await broker.drained('payments', 'booking');
    },
    says: ['20 euros'],
  },
  'Repeating a publish 1': {
    before: (broker) => broker.failPublishes(2, { disconnect: 'before' }),
    during: (broker) => broker.collect('orders').first(1),
  },
  'Tracing and metrics 1': { says: [2, ADDRESS] },
  'Tracing and metrics 2': {
    before: (broker) => broker.publish('orders', 'a'),
    during: (broker) => broker.drained('orders', 'traced'),
    says: [true, 'finish'],
  },
  'What you may assume 1': {
    before: (broker) => broker.publish('orders', '{"id":"a"}', '{"id":"a"}', '{"id":"b"}'),
    during: (broker) => broker.drained('orders', 'billing'),
    says: ['a', 'b'],
  },
  'Tests without a server 1': {},
};

describe('docs/CLIENT.md, run', () => {
  it('runs every block that says so', () => {
    expect(blocks.filter(({ runs }) => runs).map(({ name }) => name)).toEqual(Object.keys(RUNS));
  });

  it.each(Object.entries(RUNS))('%s', async (name, { before, during, says = [] }) => {
    const broker = await createTestBroker();
    onTestFinished(() => broker.close());
    Object.assign(world, { address: broker.tcpAddress, clients: [] });
    const said: unknown[] = [];
    const note = (...words: readonly unknown[]): void => void said.push(words.at(-1));
    vi.spyOn(console, 'log').mockImplementation(note);
    vi.spyOn(console, 'error').mockImplementation(note);
    const listeners = process.listeners('SIGTERM');
    onTestFinished(() => {
      vi.restoreAllMocks();
      for (const one of process.listeners('SIGTERM')) {
        if (!listeners.includes(one)) process.off('SIGTERM', one);
      }
    });

    await before?.(broker);
    const happens = during?.(broker);
    const running = importBlock(name, broker);
    await happens;
    // Not all at once: a block that closes its clients itself is let do so.
    if (happens && name !== 'Backpressure 1')
      await Promise.all(world.clients.map((client) => client.close()));
    await running;
    expect(said).toEqual(says.map((one) => (one === ADDRESS ? broker.tcpAddress : one)));
  });
});

function importBlock(name: string, broker: TestBroker): Promise<unknown> {
  const block = blocks.find((one) => one.name === name);
  const shim = join(directory, 'shim.ts');
  writeFileSync(shim, SHIM);
  const file = join(directory, `${name.replaceAll(' ', '-')}.ts`);
  const code = (block?.code ?? '')
    .replaceAll("'127.0.0.1:4150'", `'${broker.tcpAddress}'`)
    .replaceAll("from 'nsq'", `from '${shim}'`)
    .replaceAll("from 'nsq/testing'", `from '${MODULES['nsq/testing']}'`);
  writeFileSync(file, code);
  return import(/* @vite-ignore */ pathToFileURL(file).pathname);
}
