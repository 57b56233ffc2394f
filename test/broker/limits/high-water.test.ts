import { describe, expect, it } from 'vitest';
import {
  complaintAboutHighWater,
  describeExcess,
  excessOver,
  parseHighWater,
} from '../../../src/broker/limits/high-water.js';

describe('a high water mark', () => {
  it.each([
    ['90%', { usedPart: 0.9 }],
    ['99.5%', { usedPart: 0.995 }],
    ['1000', { freeBytes: 1000 }],
    ['0', undefined],
    ['0%', undefined],
    ['', undefined],
  ])('%j is taken', (text, mark) => {
    expect(parseHighWater(text)).toEqual(mark);
    expect(complaintAboutHighWater(text)).toBe('');
  });

  it.each(['100%', '900%', '-5', '5gb', '%', 'ninety', '1.5', ' 90%'])('%j is refused', (text) => {
    expect(complaintAboutHighWater(text)).toContain(`not '${text}'`);
  });

  it('says what is too much', () => {
    const space = { used: 950, available: 50 };
    expect(excessOver({ usedPart: 0.9 }, space)).toBe(50);
    expect(excessOver({ usedPart: 0.96 }, space)).toBe(0);
    expect(excessOver({ freeBytes: 80 }, space)).toBe(30);
    expect(excessOver({ freeBytes: 50 }, space)).toBe(0);
    expect(describeExcess({ usedPart: 0.9 }, space)).toBe('95% full, --disk-high-water is 90%');
    expect(describeExcess({ freeBytes: 80 }, space)).toBe('50 bytes free, --disk-high-water is 80');
  });
});
