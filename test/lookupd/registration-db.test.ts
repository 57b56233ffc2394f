import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Peer, PeerInfo } from '../../src/lookupd/registration.js';
import { RegistrationDb } from '../../src/lookupd/registration-db.js';
import { NaiveDb } from './support/naive-db.js';

const INACTIVE = 100;
const TOMBSTONE = 50;

function infoOf(name: string): PeerInfo {
  return {
    remote_address: `${name}:9`,
    hostname: name,
    broadcast_address: name,
    tcp_port: 1,
    http_port: 2,
    version: '1',
    topology_zone: '',
    topology_region: '',
  };
}

interface Setup {
  readonly db: RegistrationDb;
  readonly changes: string[];
  pass(ms: number): void;
}

function setup(): Setup {
  let now = 1000;
  const changes: string[] = [];
  const db = new RegistrationDb({
    now: () => now,
    inactiveTimeout: INACTIVE,
    tombstoneLifetime: TOMBSTONE,
    firstVersion: 7,
    onChange: (topic) => changes.push(topic),
  });
  return { db, changes, pass: (ms) => (now += ms) };
}

function producersOf(db: RegistrationDb, name: string): string[] {
  const topic = db.topic(name);
  return topic ? Array.from(db.producersOf(topic), (info) => info.hostname).sort() : ['none'];
}

describe('RegistrationDb', () => {
  it('a tombstone is of one topic and one producer, and goes with its time (#148)', () => {
    const { db, pass } = setup();
    const [a, b] = [db.addPeer('1', infoOf('a')), db.addPeer('2', infoOf('b'))];
    for (const peer of [a, b]) for (const topic of ['t', 'u']) db.register(peer, topic);
    db.tombstone('t', 'a:2');
    expect([producersOf(db, 't'), producersOf(db, 'u')]).toEqual([['b'], ['a', 'b']]);
    pass(TOMBSTONE - 1);
    expect(producersOf(db, 't')).toEqual(['b']);
    pass(1);
    expect(producersOf(db, 't')).toEqual(['a', 'b']);
  });

  it('a tombstone stays when its producer registers again, and goes when it leaves first', () => {
    const { db } = setup();
    const a = db.addPeer('1', infoOf('a'));
    db.register(a, 't');
    db.tombstone('t', 'a:2');
    db.register(a, 't', 'c');
    expect(producersOf(db, 't')).toEqual([]);
    db.unregister(a, 't');
    db.register(a, 't');
    expect(producersOf(db, 't')).toEqual(['a']);
  });

  it('a topic that was deleted is listed again with its next registration (#877, #1009)', () => {
    const { db } = setup();
    const a = db.addPeer('1', infoOf('a'));
    db.register(a, 't', 'c');
    db.tombstone('t', 'a:2');
    db.deleteTopic('t');
    expect(producersOf(db, 't')).toEqual(['none']);
    db.register(a, 't');
    expect(producersOf(db, 't')).toEqual(['a']);
    expect(db.topic('t')?.channels.size).toBe(0);
  });

  it('registrations of a peer that come after the end of another with the same name are its own (#182)', () => {
    const { db } = setup();
    const before = db.addPeer('1', infoOf('a'));
    db.register(before, 't', 'c');
    const after = db.addPeer('2', infoOf('a'));
    db.register(after, 't', 'c');
    db.removePeer(before);
    expect(producersOf(db, 't')).toEqual(['a']);
    expect(db.topic('t')?.channels.get('c')?.size).toBe(1);
  });

  it('tells who has which of many channels, also when others took the places of those that went', () => {
    const { db } = setup();
    const [a, b] = [db.addPeer('1', infoOf('a')), db.addPeer('2', infoOf('b'))];
    const those = (name: string): string[] =>
      (db.topic('t')?.channels.get(name)?.producers() ?? []).map(({ peer }) => peer.info.hostname);
    for (let i = 0; i < 40; i++) {
      db.register(a, 't', `c${i}`);
      if (i % 2 === 0) db.register(b, 't', `c${i}`);
    }
    for (let i = 0; i < 40; i++) expect(those(`c${i}`)).toEqual(i % 2 === 0 ? ['a', 'b'] : ['a']);
    for (const i of [0, 3, 35]) db.deleteChannel('t', `c${i}`);
    for (const name of ['x', 'y', 'z']) {
      db.createChannel('t', name);
      expect(those(name)).toEqual([]);
      db.register(b, 't', name);
      expect(those(name)).toEqual(['b']);
    }
    db.unregister(b, 't', 'c36');
    expect([those('c1'), those('c2'), those('c36'), those('c38')]).toEqual([
      ['a'],
      ['a', 'b'],
      ['a'],
      ['a', 'b'],
    ]);
    db.removePeer(a);
    expect([those('c1'), those('c2'), those('c39'), those('x')]).toEqual([[], ['b'], [], ['b']]);
    for (const name of [...(db.topic('t')?.channels.keys() ?? [])]) db.deleteChannel('t', name);
    expect(db.topic('t')?.takenBits).toBe(0);
  });

  it('ephemeral topics and channels go with their last producer, however it goes (#1116)', () => {
    const { db } = setup();
    const [a, b] = [db.addPeer('1', infoOf('a')), db.addPeer('2', infoOf('b'))];
    for (const peer of [a, b]) {
      db.register(peer, 't', 'c#ephemeral');
      db.register(peer, 'u#ephemeral', 'd');
    }
    db.removePeer(a);
    expect(db.topic('t')?.channels.has('c#ephemeral')).toBe(true);
    expect(db.topic('u#ephemeral')?.channels.has('d')).toBe(true);
    db.removePeer(b);
    expect(db.topic('t')?.channels.size).toBe(0);
    expect(Array.from(db.topics(), ({ name }) => name)).toEqual(['t']);
  });

  it('a silent peer is left out until it pings', () => {
    const { db, changes, pass } = setup();
    const a = db.addPeer('1', infoOf('a'));
    db.register(a, 't');
    pass(INACTIVE);
    expect(producersOf(db, 't')).toEqual(['a']);
    expect(db.nextDeadline()).toBe(1000 + INACTIVE);
    pass(1);
    changes.length = 0;
    expect([producersOf(db, 't'), [...db.activePeers()]]).toEqual([[], []]);
    expect(changes).toEqual(['t']);
    expect(db.nextDeadline()).toBeUndefined();
    expect(db.ping(a)).toBe(INACTIVE + 1);
    expect(producersOf(db, 't')).toEqual(['a']);
    expect(changes).toEqual(['t', 't']);
  });

  it("a topic's version changes with its answer only; of one that is not there it is the first", () => {
    const { db } = setup();
    const a = db.addPeer('1', infoOf('a'));
    expect(db.versionOf('t')).toBe(7);
    db.register(a, 't', 'c');
    const version = db.versionOf('t');
    expect(version).toBeGreaterThan(7);
    db.register(a, 't', 'c');
    db.ping(a);
    db.register(a, 'u');
    db.tombstone('t', 'nobody:2');
    expect(db.versionOf('t')).toBe(version);
    db.deleteTopic('t');
    expect(db.versionOf('t')).toBe(7);
  });
});

const NAMES = ['t', 'u', 'v#ephemeral'];
const CHANNELS = ['', 'c', 'd#ephemeral', 'e'];
const PEERS = 3;
const topic = fc.constantFrom(...NAMES);
const channel = fc.constantFrom(...CHANNELS);
const named = fc.constantFrom('c', 'd#ephemeral', 'e');
const peer = fc.nat(PEERS - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant('register' as const), peer, topic, channel }),
  fc.record({ do: fc.constant('unregister' as const), peer, topic, channel }),
  fc.record({ do: fc.constant('ping' as const), peer }),
  fc.record({ do: fc.constant('rejoin' as const), peer }),
  fc.record({ do: fc.constant('tombstone' as const), peer, topic }),
  fc.record({ do: fc.constant('createTopic' as const), topic }),
  fc.record({ do: fc.constant('createChannel' as const), topic, channel: named }),
  fc.record({ do: fc.constant('deleteTopic' as const), topic }),
  fc.record({ do: fc.constant('deleteChannel' as const), topic, channel: named }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 30, 50, 101) }),
);

/** All that can be asked of the database, in an order of its own. */
function answersOf(db: RegistrationDb): Record<string, unknown> {
  const peers = [...db.activePeers()];
  return {
    topics: Array.from(db.topics(), ({ name }) => name).sort(),
    nodes: peers
      .map(({ info, producers }) => [
        info.hostname,
        Array.from(producers, (it) => `${it.topic.name} ${it.tombstoned}`).sort(),
      ])
      .sort(),
    lookups: NAMES.map((name) => [
      [...(db.topic(name)?.channels.keys() ?? [])].sort(),
      producersOf(db, name),
    ]),
    channelProducers: NAMES.map((name) =>
      Array.from(db.topic(name)?.channels.values() ?? [], (it) => [
        it.name,
        it
          .producers()
          .map((producer) => producer.peer.info.hostname)
          .sort(),
      ]).sort(),
    ),
  };
}

/** Channels that the first topic has to begin with: with one or two more, not all of them have a bit. */
const filled = fc.constantFrom(0, 28, 29, 30);

it('answers as a plain table of registrations does, and says when an answer changes', () => {
  fc.assert(
    fc.property(filled, fc.array(step, { maxLength: 40 }), (count, steps) => {
      const { db, changes, pass } = setup();
      const naive = new NaiveDb(INACTIVE, TOMBSTONE);
      const names = Array.from({ length: PEERS }, (_, index) => `p${index}`);
      const peers: Peer[] = names.map((name) => db.addPeer(name, infoOf(name)));
      for (const name of names) naive.addPeer(name);
      for (let index = 0; index < count; index++) {
        db.register(peers[index % PEERS]!, 't', `x${index}`);
        naive.register(names[index % PEERS]!, 't', `x${index}`);
      }
      let lookups = answersOf(db).lookups as unknown[];
      let nodes = JSON.stringify(answersOf(db).nodes);
      let version = db.version;

      for (const it of steps) {
        changes.length = 0;
        switch (it.do) {
          case 'register':
            db.register(peers[it.peer]!, it.topic, it.channel);
            naive.register(names[it.peer]!, it.topic, it.channel);
            break;
          case 'unregister':
            db.unregister(peers[it.peer]!, it.topic, it.channel);
            naive.unregister(names[it.peer]!, it.topic, it.channel);
            break;
          case 'ping':
            db.ping(peers[it.peer]!);
            naive.ping(names[it.peer]!);
            break;
          case 'rejoin':
            db.removePeer(peers[it.peer]!);
            naive.removePeer(names[it.peer]!);
            peers[it.peer] = db.addPeer(names[it.peer]!, infoOf(names[it.peer]!));
            naive.addPeer(names[it.peer]!);
            break;
          case 'tombstone':
            db.tombstone(it.topic, `${names[it.peer]}:2`);
            naive.tombstone(it.topic, names[it.peer]!);
            break;
          case 'createTopic':
            db.createTopic(it.topic);
            naive.create(it.topic, '');
            break;
          case 'createChannel':
            db.createChannel(it.topic, it.channel);
            naive.create(it.topic, it.channel);
            break;
          case 'deleteTopic':
            db.deleteTopic(it.topic);
            naive.deleteTopic(it.topic);
            break;
          case 'deleteChannel':
            expect(db.deleteChannel(it.topic, it.channel)).toBe(naive.deleteChannel(it.topic, it.channel));
            break;
          case 'pass':
            pass(it.ms);
            naive.now += it.ms;
            break;
        }
        const answers = answersOf(db);
        expect(answers).toEqual(naive.answers(NAMES));
        const next = answers.lookups as unknown[];
        NAMES.forEach((name, index) => {
          if (JSON.stringify(next[index]) !== JSON.stringify(lookups[index])) expect(changes).toContain(name);
        });
        lookups = next;
        if (JSON.stringify(answers.nodes) !== nodes) expect(db.version).not.toBe(version);
        nodes = JSON.stringify(answers.nodes);
        version = db.version;
      }
    }),
    { numRuns: 300 },
  );
});
