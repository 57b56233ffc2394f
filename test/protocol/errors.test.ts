import { describe, expect, it } from 'vitest';
import { isFatalCode, ProtocolError } from '../../src/protocol/errors.js';

describe('ProtocolError', () => {
  it('has a class, a code, words and a cause', () => {
    const cause = new Error('below');
    const error = new ProtocolError('E_BAD_TOPIC', 'PUB topic name "$" is not valid', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'E_BAD_TOPIC', cause });
    expect(error.line).toBe('E_BAD_TOPIC PUB topic name "$" is not valid');
    expect(new ProtocolError('E_INVALID', '').line).toBe('E_INVALID');
  });

  it.each(['E_FIN_FAILED', 'E_REQ_FAILED', 'E_TOUCH_FAILED'] as const)(
    '%s leaves the connection alive',
    (code) => {
      expect(isFatalCode(code)).toBe(false);
      expect(new ProtocolError(code, '').fatal).toBe(false);
    },
  );

  it.each(['E_INVALID', 'E_BAD_MESSAGE', 'E_PUB_FAILED', 'E_UNAUTHORIZED', 'E_OF_THE_FUTURE'])(
    '%s ends the connection',
    (code) => expect(isFatalCode(code)).toBe(true),
  );
});
