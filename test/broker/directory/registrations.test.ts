import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Registrations } from '../../../src/broker/directory/registrations.js';

const NAMES = ['a', 'b', 'c#ephemeral'];

interface TopicModel {
  readonly channels: Map<string, true>;
}

/** What a lookupd makes of the commands: nsqlookupd, which forgets an ephemeral name only when that is named. */
class LookupdModel {
  readonly topics = new Map<string, Set<string>>();
  /** Ephemeral channels, `topic channel`, that it still lists. */
  readonly listed = new Set<string>();

  take(command: Buffer): void {
    const [verb, topic = '', channel] = command.toString().trim().split(' ');
    if (verb === 'REGISTER') {
      const channels = this.topics.get(topic) ?? new Set();
      this.topics.set(topic, channels);
      if (channel !== undefined) channels.add(channel);
      if (channel?.endsWith('#ephemeral')) this.listed.add(`${topic} ${channel}`);
    } else if (channel === undefined) {
      expect(this.topics.get(topic)?.size).toBe(0);
      this.topics.delete(topic);
    } else {
      expect(this.topics.get(topic)?.delete(channel)).toBe(true);
      this.listed.delete(`${topic} ${channel}`);
    }
  }
}

describe('Registrations', () => {
  it('after any history the lookupd knows what is so, and was told nothing that it knew', () => {
    const step = fc.record({
      what: fc.constantFrom('make', 'delete', 'channel', 'tell'),
      topic: fc.constantFrom(...NAMES),
      channel: fc.constantFrom(...NAMES),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const topics = new Map<string, TopicModel>();
        const registrations = new Registrations();
        const lookupd = new LookupdModel();
        const tell = (name: string): void => {
          for (const command of registrations.reconcile(name, topics.get(name))) lookupd.take(command);
          expect(registrations.reconcile(name, topics.get(name))).toEqual([]);
        };
        for (const { what, topic, channel } of steps) {
          const existing = topics.get(topic);
          if (what === 'make' && !existing) topics.set(topic, { channels: new Map() });
          if (what === 'delete') topics.delete(topic);
          if (what === 'channel') existing?.channels.delete(channel) || existing?.channels.set(channel, true);
          if (what === 'tell') tell(topic);
        }
        for (const name of NAMES) tell(name);
        const known = [...lookupd.topics].map(([name, channels]) => [name, [...channels].sort()]);
        const now = [...topics].map(([name, { channels }]) => [name, [...channels.keys()].sort()]);
        expect(known.sort()).toEqual(now.sort());
        for (const [name, { channels }] of topics)
          expect(lookupd.listed.has(`${name} c#ephemeral`)).toBe(channels.has('c#ephemeral'));
      }),
    );
  });

  it('a topic that was deleted and made anew is withdrawn first, although nothing seems to have changed', () => {
    const registrations = new Registrations();
    registrations.reconcile('t', { channels: new Map([['c', 1]]) });
    const commands = registrations.reconcile('t', { channels: new Map([['c', 1]]) });
    expect(commands.map(String)).toEqual(['UNREGISTER t c\n', 'UNREGISTER t\n', 'REGISTER t c\n']);
  });
});
