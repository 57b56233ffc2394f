import dns from 'node:dns';
import { describe, expect, it, vi } from 'vitest';
import { lookUp } from '../../src/net/names.js';
import { cleanup } from '../support/temp.js';

const FOUND: dns.LookupAddress[] = [
  { address: '192.0.2.1', family: 4 },
  { address: '2001:db8::1', family: 6 },
];

/** What a socket is told that looks for this name. */
function look(name: string, options: dns.LookupOptions): Promise<unknown[]> {
  return new Promise((resolve) => lookUp(name, options, (...told: unknown[]) => resolve(told)));
}

function system(error: Error | null, found: dns.LookupAddress[]) {
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
    process.nextTick(args.at(-1) as () => void, error, found);
  }) as typeof dns.lookup);
  cleanup(() => lookup.mockRestore());
}

describe('lookUp', () => {
  it.each([
    [{ all: true }, [null, FOUND]],
    [{}, [null, '192.0.2.1', 4]],
    [{ family: 6 }, [null, '2001:db8::1', 6]],
    [{ family: 'IPv4', all: true } as const, [null, [FOUND[0]]]],
    [{ family: 0 }, [null, '192.0.2.1', 4]],
  ])('tells a socket that asks with %o what dns.lookup would', async (options, told) => {
    system(null, FOUND);
    expect(await look('a.test', options)).toEqual(told);
  });

  it('tells why there is none', async () => {
    system(null, FOUND.slice(0, 1));
    const [none] = await look('a.test', { family: 6 });
    expect(none).toMatchObject({
      code: 'ENOTFOUND',
      message: 'getaddrinfo ENOTFOUND a.test',
      hostname: 'a.test',
    });
    const error = new Error('no answer');
    system(error, []);
    expect((await look('a.test', { all: true }))[0]).toBe(error);
  });
});
