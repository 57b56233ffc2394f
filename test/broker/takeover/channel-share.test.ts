import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TopicState } from '../../../src/broker/state/topic-state.js';
import { ChannelShare } from '../../../src/broker/takeover/channel-share.js';

const END = 25;

/** Messages that a channel with this state is to deliver, in the log's order, with their deliveries so far. */
function toDeliver(state: TopicState): Map<number, number> {
  const { cursor, held, skips } = state.channels.get(1)!;
  const found = new Map<number, number>();
  for (let n = cursor; n < END; n++) if (!skips.some(({ from, to }) => n >= from && n < to)) found.set(n, 0);
  for (const { from, to, attempts } of held) {
    for (let n = from; n < to; n++) {
      expect(found.has(n)).toBe(false);
      found.set(n, attempts);
    }
  }
  return found;
}

const share = fc.array(fc.tuple(fc.nat(END - 1), fc.nat(2)), { maxLength: 40 });

test('a channel delivers what is its own, whatever it is', () => {
  fc.assert(
    fc.property(share, (list) => {
      const own = new ChannelShare();
      for (const [n, attempts] of list) own.add(n, attempts);
      expect(own.size).toBe(new Map(list).size);
      const state = new TopicState();
      own.describe(1, 'ch', true, END, state);
      expect(toDeliver(state)).toEqual(new Map(list));
      expect(state.channels.get(1)!.paused).toBe(true);
    }),
  );
});

test('what it holds is not forgotten when the cursor passes it', () => {
  fc.assert(
    fc.property(share, fc.array(fc.nat(END), { maxLength: 5 }), (list, cursors) => {
      const own = new ChannelShare();
      for (const [n, attempts] of list) own.add(n, attempts);
      const state = new TopicState();
      own.describe(1, 'ch', false, END, state);
      for (const n of cursors) state.cursor(1, n);
      const { cursor, held } = state.channels.get(1)!;
      const expected = new Map([...new Map(list)].filter(([n, attempts]) => attempts > 0 || n < cursor));
      const found = new Map<number, number>();
      for (const { from, to, attempts } of held) for (let n = from; n < to; n++) found.set(n, attempts);
      expect(found).toEqual(expected);
    }),
  );
});
