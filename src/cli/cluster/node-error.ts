import { chain, codeOf } from '../errors.js';
import { REASONS } from '../explanation.js';

/** No answer at all; no trust; a status that is none of success; an answer that is not what was asked for. */
export type NodeErrorCode = 'E_UNREACHABLE' | 'E_TLS' | 'E_STATUS' | 'E_ANSWER';

/** Codes of Node and OpenSSL for a certificate that one side does not take. */
const DISTRUST = /CERT|UNKNOWN_CA|^UNABLE_TO_/;

/** What to do about `E_TLS`. */
export const TRUST = 'Say whom to trust, and who asks, with --http-client-tls-root-ca-file, -cert and -key';

/** What went wrong with one nsqd or lookupd. The message has neither its address nor anything to steer a terminal. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: NodeErrorCode;
  /** As in {@link HttpAddress.text}. */
  readonly address: string;
  /** What the daemon said, e.g. `TOPIC_NOT_FOUND`; '' if nothing. */
  readonly reply: string;

  constructor(
    code: NodeErrorCode,
    address: string,
    message: string,
    { reply = '', ...options }: ErrorOptions & { readonly reply?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.address = address;
    this.reply = reply;
  }
}

/** A request that brought no answer, in plain words. */
export function unreachable(address: string, cause: unknown): NodeError {
  const system = [...chain(cause)].find((part) => codeOf(part) in REASONS);
  const words = system ? REASONS[codeOf(system)] : undefined;
  const message = words ?? (cause instanceof Error ? cause.message : String(cause));
  if ([...chain(cause)].some((part) => DISTRUST.test(codeOf(part))))
    return new NodeError('E_TLS', address, `HTTPS: ${printable(message)}`, { cause });
  return new NodeError('E_UNREACHABLE', address, printable(message), { cause });
}

/** Text of another machine's, short and without control characters: it goes to terminals. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 200);
}
