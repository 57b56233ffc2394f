import { describe, expect, it, vi } from 'vitest';
import type { Channel } from '../../src/broker/channel.js';
import type { Topic } from '../../src/broker/topic.js';
import { CommitTicket, Turn } from '../../src/broker/turn.js';

class Work {
  readonly done: string[] = [];
  readonly turn = new Turn();
  onCommit = (): void => {};
  onDeliver = (): void => {};
  onFlush = (): void => {};

  topic(name: string): Topic {
    const it = {
      commit: () => {
        this.done.push(`commit ${name}`);
        this.onCommit();
      },
      writeJournal: () => this.done.push(`journal ${name}`),
    };
    return it as unknown as Topic;
  }

  channel(name: string): Channel {
    const it = {
      deliver: () => {
        this.done.push(`deliver ${name}`);
        this.onDeliver();
      },
    };
    return it as unknown as Channel;
  }

  socket(name: string): { flush(): void } {
    return {
      flush: () => {
        this.done.push(`flush ${name}`);
        this.onFlush();
      },
    };
  }
}

const turnsEnd = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Turn', () => {
  it('commits, then delivers, then writes to sockets, then journals', async () => {
    const work = new Work();
    const topic = work.topic('t');
    work.turn.journal(topic);
    work.turn.flush(work.socket('s'));
    work.turn.deliver(work.channel('c'));
    work.turn.commit(topic);
    expect(work.done).toEqual([]);
    await turnsEnd();
    expect(work.done).toEqual(['commit t', 'deliver c', 'flush s', 'journal t']);
    await turnsEnd();
    expect(work.done).toHaveLength(4);
  });

  it('does in the same turn what an earlier step asks of a later one', async () => {
    const work = new Work();
    work.onCommit = () => work.turn.deliver(work.channel('c'));
    work.onDeliver = () => {
      work.turn.flush(work.socket('s'));
      work.turn.journal(work.topic('t'));
    };
    work.turn.commit(work.topic('t'));
    await turnsEnd();
    expect(work.done).toEqual(['commit t', 'deliver c', 'flush s', 'journal t']);
  });

  it('does in the next turn what a later step asks of an earlier one', async () => {
    const work = new Work();
    work.onFlush = () => {
      work.onFlush = () => {};
      work.turn.deliver(work.channel('c'));
    };
    work.turn.flush(work.socket('s'));
    await turnsEnd();
    expect(work.done).toEqual(['flush s']);
    await turnsEnd();
    expect(work.done).toEqual(['flush s', 'deliver c']);
  });

  it('journals a topic once, however often it asks', () => {
    const work = new Work();
    const topic = work.topic('t');
    work.turn.journal(topic);
    work.turn.journal(topic);
    work.turn.run();
    expect(work.done).toEqual(['journal t']);
  });

  it('can be run at once, and leaves nothing for later', async () => {
    const work = new Work();
    work.turn.commit(work.topic('t'));
    work.turn.run();
    expect(work.done).toEqual(['commit t']);
    await turnsEnd();
    expect(work.done).toEqual(['commit t']);
  });

  it('does not begin again within itself', () => {
    const work = new Work();
    work.onCommit = () => work.turn.run();
    work.turn.commit(work.topic('t'));
    work.turn.run();
    expect(work.done).toEqual(['commit t']);
  });
});

describe('CommitTicket', () => {
  it('tells all that wait, in order, and those that come later at once', () => {
    const ticket = new CommitTicket();
    const calls: string[] = [];
    ticket.whenSettled(() => calls.push('first'));
    ticket.whenSettled(() => calls.push('second'));
    expect([ticket.settled, ticket.error, calls]).toEqual([false, undefined, []]);
    ticket.settle(undefined);
    expect(calls).toEqual(['first', 'second']);
    ticket.whenSettled(() => calls.push('third'));
    expect([ticket.settled, calls]).toEqual([true, ['first', 'second', 'third']]);
  });

  it('keeps to its first result', () => {
    const ticket = new CommitTicket();
    const waiting = vi.fn();
    const error = new Error('no room');
    ticket.whenSettled(waiting);
    ticket.settle(error);
    ticket.settle(undefined);
    expect(ticket.error).toBe(error);
    expect(waiting.mock.calls).toEqual([[error]]);
  });
});

describe('turns that follow each other', () => {
  const polls = (): boolean => process.getActiveResourcesInfo().includes('Immediate');

  it('keep the event loop awake for a moment, and let it sleep then', async () => {
    const turn = new Turn();
    turn.run();
    turn.run();
    expect(polls()).toBe(true);
    await vi.waitUntil(() => !polls(), { timeout: 5000, interval: 1 });
  });
});
