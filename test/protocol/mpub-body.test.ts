import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MpubBody } from '../../src/protocol/mpub-body.js';
import { sized, u32 } from '../support/wire.js';

const MAX_MSG = 50;
const MAX_BODY = 300;

function batch(bodies: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat([u32(bodies.length), ...bodies.map(sized)]);
}

describe('MpubBody', () => {
  it('finds the same messages however little comes at a time', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.nat({ max: 9 }), fc.integer({ min: 1, max: 9 }), (all, start, step) => {
        const body = batch(all.map((it) => Buffer.from(it)));
        const buf = Buffer.concat([Buffer.alloc(start), body]);
        const check = new MpubBody();
        check.begin();
        for (let have = step; have < body.length; have += step) {
          check.advance(buf, start, have, MAX_MSG, MAX_BODY);
          expect(check.count).toBe(have >= 4 ? all.length : 0);
          expect(check.isWhole(have)).toBe(false);
          expect(check.least).toBeGreaterThan(have);
          expect(check.least).toBeLessThanOrEqual(body.length);
        }
        check.advance(buf, start, body.length, MAX_MSG, MAX_BODY);
        expect([check.count, check.length, check.isWhole(body.length)]).toEqual([
          all.length,
          body.length,
          true,
        ]);
      }),
    );
  });

  it('says where the last message ends when more follows', () => {
    const check = new MpubBody();
    const body = Buffer.concat([batch(['a', 'bc']), Buffer.from('more')]);
    check.begin();
    check.advance(body, 0, body.length, MAX_MSG, MAX_BODY);
    expect(check.length).toBe(body.length - 4);
  });

  it('is as new for the next body, after one that was refused too', () => {
    const check = new MpubBody();
    check.begin();
    expect(() => check.advance(u32(0), 0, 4, MAX_MSG, MAX_BODY)).toThrow('MPUB invalid message count 0');
    for (const bodies of [['a'], ['b', 'c', 'd']]) {
      const body = batch(bodies);
      check.begin();
      expect([check.count, check.length]).toEqual([0, 0]);
      check.advance(body, 0, body.length, MAX_MSG, MAX_BODY);
      expect(check.count).toBe(bodies.length);
    }
  });

  it('takes as many messages as could fit at their smallest, and no more', () => {
    const check = new MpubBody();
    const most = Math.floor((MAX_BODY - 4) / 5);
    check.begin();
    check.advance(u32(most), 0, 4, MAX_MSG, MAX_BODY);
    expect(check.count).toBe(most);
    check.begin();
    expect(() => check.advance(u32(most + 1), 0, 4, MAX_MSG, MAX_BODY)).toThrow(
      `MPUB invalid message count ${most + 1}`,
    );
  });

  it('refuses messages of more than a body may have as soon as the size of the last is there', () => {
    const check = new MpubBody();
    const start = Buffer.concat([batch(Array.from({ length: 6 }, () => 'x'.repeat(44))), u32(5)]);
    start.writeUInt32BE(7, 0);
    check.begin();
    check.advance(start, 0, start.length - 4, MAX_MSG, MAX_BODY);
    expect(() => check.advance(start, 0, start.length, MAX_MSG, MAX_BODY)).toThrow(
      'MPUB body too big 301 > 300',
    );
  });
});
