import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startBroker } from '../../src/broker/index.js';

it.skipIf(!existsSync('/proc/self'))('a data path that takes no directories is refused', async () => {
  await expect(startBroker({ dataPath: '/proc' })).rejects.toMatchObject({ code: 'E_DATA_PATH' });
});
