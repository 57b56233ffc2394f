import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Addresses, Names, type NamesOptions } from '../../src/net/names.js';

const ADDRESS: Addresses = [{ address: '192.0.2.1', family: 4 }];

/** A system that answers when it is told to. */
class FakeSystem {
  readonly asked: string[] = [];
  readonly doubtful: boolean[] = [];
  readonly #answers = new Map<string, PromiseWithResolver>();

  readonly ask: NamesOptions['ask'] = (name, isDoubtful) => {
    this.asked.push(name);
    this.doubtful.push(isDoubtful);
    return new Promise((resolve, reject) => this.#answers.set(name, { resolve, reject }));
  };

  get hanging(): readonly string[] {
    return [...this.#answers.keys()];
  }

  async answer(name: string, outcome: Addresses | Error = ADDRESS): Promise<void> {
    const answer = this.#answers.get(name);
    this.#answers.delete(name);
    if (outcome instanceof Error) answer?.reject(outcome);
    else answer?.resolve(outcome);
    await vi.advanceTimersByTimeAsync(0);
  }
}

interface PromiseWithResolver {
  readonly resolve: (addresses: Addresses) => void;
  readonly reject: (error: Error) => void;
}

describe('names', () => {
  let system: FakeSystem;
  let names: Names;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    system = new FakeSystem();
    names = new Names({ ask: system.ask, most: 2, mostSlow: 1 });
  });
  afterEach(() => void vi.useRealTimers());

  /** Makes it known that these names hang. */
  async function hung(...list: string[]): Promise<void> {
    for (const name of list) {
      names.resolve(name).catch(() => undefined);
      await vi.advanceTimersByTimeAsync(10_000);
      await system.answer(name, new Error('no answer'));
    }
    system.asked.length = 0;
  }

  it('are asked for anew each time, but not twice at once', async () => {
    const [one, other] = [names.resolve('a'), names.resolve('a')];
    await system.answer('a');
    expect(await Promise.all([one, other])).toEqual([ADDRESS, ADDRESS]);
    const again = names.resolve('a');
    await system.answer('a', []);
    expect(await again).toEqual([]);
    expect(system.asked).toEqual(['a', 'a']);
  });

  it('a failure is that of all who wait, and not of who asks then', async () => {
    const failed = [names.resolve('a'), names.resolve('a')].map((one) =>
      expect(one).rejects.toThrow('no such name'),
    );
    await system.answer('a', new Error('no such name'));
    await Promise.all(failed);
    const again = names.resolve('a');
    await system.answer('a');
    expect(await again).toEqual(ADDRESS);
  });

  it('that hang wait for each other, and the others for none of them', async () => {
    await hung('bad-1', 'bad-2', 'bad-3');
    for (const name of ['bad-1', 'bad-2', 'bad-3']) names.resolve(name).catch(() => undefined);
    expect(system.hanging).toEqual(['bad-1']);
    for (const name of ['good', 'new', 'good']) {
      const found = names.resolve(name);
      expect(system.hanging).toEqual(['bad-1', name]);
      await system.answer(name);
      expect(await found).toEqual(ADDRESS);
    }
    await system.answer('bad-1', new Error('no answer'));
    expect(system.hanging).toEqual(['bad-2']);
  });

  it('that were quick go first, those that hung go last', async () => {
    await hung('bad');
    const quick = names.resolve('quick');
    await system.answer('quick');
    await quick;
    for (const name of ['x', 'y', 'bad', 'new', 'quick']) names.resolve(name).catch(() => undefined);
    for (const name of ['x', 'quick', 'new']) await system.answer(name);
    expect(system.asked).toEqual(['quick', 'x', 'y', 'quick', 'new', 'bad']);
    expect(system.doubtful.slice(1)).toEqual([true, true, true, false, true, true]);
  });

  it('that begin to hang count as slow at once, and no more once they are quick again', async () => {
    names.resolve('bad').catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1000);
    await hung('other');
    names.resolve('other').catch(() => undefined);
    expect(system.hanging).toEqual(['bad']);
    await system.answer('bad', new Error('no answer'));
    expect(system.hanging).toEqual(['other']);
    await system.answer('other');
    for (const name of ['bad', 'other']) names.resolve(name).catch(() => undefined);
    expect(system.hanging).toEqual(['bad', 'other']);
  });

  it('an answer that was long in coming is there for who asks soon after, and then no more', async () => {
    const first = names.resolve('a');
    await vi.advanceTimersByTimeAsync(1000);
    await system.answer('a');
    await first;
    await vi.advanceTimersByTimeAsync(4999);
    expect(await names.resolve('a')).toEqual(ADDRESS);
    await vi.advanceTimersByTimeAsync(1);
    void names.resolve('a');
    expect(system.asked).toEqual(['a', 'a']);
  });

  it('localhost is both loopback addresses, without asking', async () => {
    expect((await names.resolve('localhost')).map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
    expect(system.asked).toEqual([]);
  });

  it('thousands are not remembered for ever', async () => {
    await hung('bad');
    for (let i = 0; i < 1000; i++) {
      const found = names.resolve(`n${i}`);
      await system.answer(`n${i}`);
      await found;
    }
    for (const name of ['x', 'bad']) names.resolve(name).catch(() => undefined);
    expect(system.hanging).toEqual(['x', 'bad']);
  });
});
