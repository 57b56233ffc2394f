import { describe, expect, it, vi } from 'vitest';
import { Lookupd as LookupdCore } from '../../src/lookupd/lookupd.js';
import type { LookupdOptions } from '../../src/lookupd/options.js';
import { cleanup } from '../support/temp.js';
import { type Answer, ask, lookupdOf, namesOf, ScriptedBroker, until } from './support/lookupd.js';

/** A lookupd whose waiting requests can be counted. */
async function coreOf(options: LookupdOptions = {}): Promise<LookupdCore> {
  const lookupd = new LookupdCore(options);
  await lookupd.start();
  cleanup(() => lookupd.close());
  return lookupd;
}

function indexOf({ json }: Answer): number {
  expect(json.index).toEqual(expect.any(Number));
  return Number(json.index);
}

/** A look-up that waits for a topic to be another than at `index`. */
function watch(lookupd: LookupdCore, topic: string, index: number): Promise<Answer> {
  return ask(lookupd, `/lookup?topic=${topic}&wait=60s&index=${index}`);
}

/** Resolves once so many look-ups wait. */
function waiting(lookupd: LookupdCore, count: number): Promise<void> {
  return until(() => Promise.resolve(lookupd.watchers.size === count));
}

describe('GET /lookup with wait and index', () => {
  it('a plain look-up answers as nsqlookupd does, without an index', async () => {
    const lookupd = await lookupdOf();
    await ask(lookupd, 'POST /topic/create?topic=t');
    expect((await ask(lookupd, '/lookup?topic=t')).json).toEqual({ channels: [], producers: [] });
    expect((await ask(lookupd, '/lookup?topic=none')).json).toEqual({ message: 'TOPIC_NOT_FOUND' });
  });

  it('without an index, or with another one than the last, it answers at once', async () => {
    const lookupd = await lookupdOf();
    const first = await ask(lookupd, '/lookup?topic=t&wait=60s');
    expect(first.status).toBe(404);
    await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    const next = await ask(lookupd, `/lookup?topic=t&wait=60s&index=${indexOf(first)}`);
    expect(namesOf(next.json)).toEqual(['a']);
    expect(indexOf(await ask(lookupd, '/lookup?topic=t&wait=60s&index=12'))).toBe(indexOf(next));
    expect(indexOf(await ask(lookupd, `/lookup?topic=t&index=${indexOf(next)}`))).toBe(indexOf(next));
  });

  it('answers when a topic that was not there appears, with its channel', async () => {
    const lookupd = await coreOf();
    const a = await ScriptedBroker.start(lookupd, 'a');
    const answer = watch(lookupd, 't', indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s')));
    await waiting(lookupd, 1);
    a.raw.send('REGISTER t\nREGISTER t c\n');
    expect(await answer).toMatchObject({ status: 200, json: { channels: ['c'] } });
    expect(lookupd.watchers.size).toBe(0);
  });

  it.each([
    ['a producer joins', 'REGISTER t', undefined],
    ['a channel is registered', 'REGISTER t new', undefined],
    ['a channel is created', undefined, 'POST /channel/create?topic=t&channel=x'],
    ['a channel is deleted', undefined, 'POST /channel/delete?topic=t&channel=c'],
    ['a producer is tombstoned', undefined, 'POST /topic/tombstone?topic=t&node=a:2'],
    ['the topic is deleted', undefined, 'POST /topic/delete?topic=t'],
  ])('answers when %s', async (_, line, request) => {
    const lookupd = await coreOf();
    await ScriptedBroker.start(lookupd, 'a', 'REGISTER t c');
    const b = await ScriptedBroker.start(lookupd, 'b', 'REGISTER other');
    const index = indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s'));
    const answer = watch(lookupd, 't', index);
    await waiting(lookupd, 1);
    if (line !== undefined) await b.send(line);
    if (request !== undefined) await ask(lookupd, request);
    expect(indexOf(await answer)).not.toBe(index);
  });

  it('answers when a broker is cut off, and when time alone changes the answer', async () => {
    const lookupd = await coreOf({ inactiveProducerTimeout: 200, tombstoneLifetime: 50 });
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    await ScriptedBroker.start(lookupd, 'b', 'REGISTER t');
    const next = (after: Answer): Promise<Answer> => watch(lookupd, 't', indexOf(after));
    a.raw.close();
    let answer = await ask(lookupd, '/lookup?topic=t&wait=1s');
    while (namesOf(answer.json).length > 1) answer = await next(answer);
    await ask(lookupd, 'POST /topic/tombstone?topic=t&node=b:2');
    answer = await ask(lookupd, '/lookup?topic=t&wait=1s');
    expect(namesOf(answer.json)).toEqual([]);
    answer = await next(answer);
    expect(namesOf(answer.json)).toEqual(['b']);
    answer = await next(answer);
    expect(namesOf(answer.json)).toEqual([]);
  });

  it('answers with the same index when the wait ends', async () => {
    const lookupd = await lookupdOf();
    const index = indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s'));
    expect(indexOf(await ask(lookupd, `/lookup?topic=t&wait=20ms&index=${index}`))).toBe(index);
  });

  it('one change wakes those that wait for its topic, and nobody else', async () => {
    const lookupd = await coreOf();
    const index = indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s'));
    const answers = ['t', 't', 'u'].map((topic) => watch(lookupd, topic, index));
    await waiting(lookupd, 3);
    await ask(lookupd, 'POST /topic/create?topic=t');
    await Promise.all(answers.slice(0, 2));
    expect(lookupd.watchers.size).toBe(1);
    await lookupd.close();
    expect(await answers[2]).toMatchObject({ status: 404 });
  });

  it('is put into JSON once for all that wait', async () => {
    const lookupd = await coreOf();
    await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    const index = indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s'));
    const answers = Array.from({ length: 100 }, () => watch(lookupd, 't', index));
    await waiting(lookupd, 100);
    const stringify = vi.spyOn(JSON, 'stringify');
    cleanup(() => stringify.mockRestore());
    lookupd.db.createChannel('t', 'new');
    const bodies = await Promise.all(answers.map(async (answer) => (await answer).body));
    expect(new Set(bodies).size).toBe(1);
    const lookups = stringify.mock.calls.filter(([value]) => Object.hasOwn(Object(value), 'producers'));
    expect(lookups).toHaveLength(1);
  });

  it('a client that goes is forgotten', async () => {
    const lookupd = await coreOf();
    const index = indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s'));
    const gone = new AbortController();
    const answer = ask(lookupd, `/lookup?topic=t&wait=60s&index=${index}`, gone.signal);
    await waiting(lookupd, 1);
    gone.abort();
    await expect(answer).rejects.toThrow();
    await waiting(lookupd, 0);
  });

  it('more than may wait are answered at once and without an index, as by nsqlookupd', async () => {
    const lookupd = await coreOf({ maxWatchers: 1 });
    await ask(lookupd, 'POST /topic/create?topic=t');
    const index = indexOf(await ask(lookupd, '/lookup?topic=t&wait=1s'));
    const first = watch(lookupd, 't', index);
    await waiting(lookupd, 1);
    const second = await ask(lookupd, `/lookup?topic=t&wait=60s&index=${index}`);
    expect(second.json).toEqual({ channels: [], producers: [] });
    await lookupd.close();
    expect((await first).status).toBe(200);
  });

  it('an index of the lookupd that ran before is no index of this one', async () => {
    const before = await lookupdOf();
    const index = indexOf(await ask(before, '/lookup?topic=t&wait=1s'));
    await before.close();
    const after = await lookupdOf();
    expect(indexOf(await ask(after, `/lookup?topic=t&wait=60s&index=${index}`))).not.toBe(index);
  });

  it.each([
    ['wait=x', 'INVALID_ARG_WAIT'],
    ['wait=30', 'INVALID_ARG_WAIT'],
    ['wait=-1s', 'INVALID_ARG_WAIT'],
    ['wait=1s&index=-1', 'INVALID_ARG_INDEX'],
    ['index=1.5', 'INVALID_ARG_INDEX'],
  ])('%s: %s', async (query, message) => {
    const answer = await ask(await lookupdOf(), `/lookup?topic=t&${query}`);
    expect(answer).toMatchObject({ status: 400, json: { message } });
  });
});
