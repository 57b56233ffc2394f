/** How full a file system may be: the part of it that is used, or the bytes that must stay free. */
export type HighWater = { readonly usedPart: number } | { readonly freeBytes: number };

/** What a file system says of itself, in bytes. `available` is what an ordinary process may still write. */
export interface DiskSpace {
  readonly used: number;
  readonly available: number;
}

const PERCENT = /^(\d{1,3}(?:\.\d+)?)%$/;
const BYTES = /^\d{1,16}$/;

/** `90%` or a number of bytes; undefined for `0`, an empty text, and what is neither. */
export function parseHighWater(text: string): HighWater | undefined {
  const percent = Number(PERCENT.exec(text)?.[1]);
  if (percent > 0 && percent < 100) return { usedPart: percent / 100 };
  const bytes = BYTES.test(text) ? Number(text) : 0;
  return bytes > 0 ? { freeBytes: bytes } : undefined;
}

/** What is wrong with a text that is to be a high water mark; empty if nothing is. */
export function complaintAboutHighWater(text: string): string {
  if (/^(0+%?)?$/.test(text) || parseHighWater(text)) return '';
  return `must be a percentage below 100 (90%) or a number of bytes that must stay free, not '${text}'`;
}

/** Bytes that would have to go for the file system to be below the mark; 0 if it is. */
export function excessOver(mark: HighWater, { used, available }: DiskSpace): number {
  if ('freeBytes' in mark) return Math.max(0, mark.freeBytes - available);
  return Math.max(0, Math.ceil(used - mark.usedPart * (used + available)));
}

/** How full a file system is and what the mark is, in words. */
export function describeExcess(mark: HighWater, { used, available }: DiskSpace): string {
  if ('freeBytes' in mark) return `${available} bytes free, --disk-high-water is ${mark.freeBytes}`;
  const percent = (part: number): string => `${Math.round(part * 1000) / 10}%`;
  return `${percent(used / (used + available))} full, --disk-high-water is ${percent(mark.usedPart)}`;
}
