import { CliError, chain, codeOf, ExitCode } from './errors.js';
import { nearest } from './suggestion.js';

/** An error for people: what failed and where, what to do next, and how the process ends. */
export interface Explanation {
  readonly message: string;
  readonly hint?: string;
  readonly exit: number;
}

interface SystemError extends Error {
  readonly code?: unknown;
  readonly address?: string;
  readonly port?: number;
}

const HINTS: Readonly<Record<string, string>> = {
  E_LISTEN:
    'Choose another address with --tcp-address, --http-address and the like, or stop what listens there',
  E_TLS: 'Check the tls_… options of --consumer-opt or --producer-opt: docs/SECURITY.md has examples',
  E_AUTH_REQUIRED: 'Give the secret with --consumer-opt or --producer-opt auth_secret,<secret>',
  E_DATA_PATH: 'Create it, or choose a directory that you may write to with --data-path',
  E_LOCKED: 'Stop the other broker, or choose another directory with --data-path',
  E_CONNECTION_LOST: 'The log of the broker may say why',
  ECONNREFUSED: 'Start a broker with "nsq serve", or give the address of one',
  ENOTFOUND: 'Check the host name',
  EAI_AGAIN: 'Check the host name and the name server',
  ETIMEDOUT: 'Check the address, and that no firewall is in between',
  EHOSTUNREACH: 'Check the address and the network',
  HPE_INVALID_CONSTANT: 'Give the HTTP address: by default port 4151 of an nsqd, 4161 of a lookupd',
};

/** What nsqd says to a client that did not ask for TLS. */
const TLS_NEEDED = '(TLS required)';
const ASK_FOR_TLS =
  'Ask for it with tls_v1 in --consumer-opt or --producer-opt: docs/SECURITY.md has examples';
const START_LOOKUPD = 'Start one with "nsq lookupd", or give the HTTP address of one';

/** A system error's code in plain words. */
export const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host not found',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'host not reachable',
  HPE_INVALID_CONSTANT: 'no HTTP is spoken there',
};

export function explain(error: unknown): Explanation {
  const given = error instanceof Error ? error : new Error(String(error));
  if (given instanceof CliError) {
    return {
      message: given.message,
      exit: given.oclif.exit,
      ...(given.hint === undefined ? {} : { hint: given.hint }),
    };
  }
  const usage = parserExplanation(given);
  if (usage) return usage;

  const errors = [...chain(given)];
  if (errors.some((part) => codeOf(part) === 'E_OPTION'))
    return { message: given.message, exit: ExitCode.Usage };
  if (given.message.includes(TLS_NEEDED))
    return { message: given.message, hint: ASK_FOR_TLS, exit: ExitCode.Failed };
  const known = errors.find((part) => codeOf(part) in HINTS);
  if (known) {
    const isLookupd = codeOf(known) === 'ECONNREFUSED' && errors.some((part) => codeOf(part) === 'E_LOOKUP');
    const hint = isLookupd ? START_LOOKUPD : HINTS[codeOf(known)]!;
    return { message: systemMessage(given, known), hint, exit: ExitCode.Failed };
  }
  const expected = errors.some((part) => codeOf(part) !== '');
  return {
    message: given.message || given.name,
    exit: ExitCode.Failed,
    ...(expected ? {} : { hint: 'DEBUG=nsq* shows where' }),
  };
}

/** What failed, without what to do about it: for what is tried again. */
export function plainMessage(error: Error): string {
  const system = [...chain(error)].find((part) => codeOf(part) in REASONS);
  return system ? systemMessage(error, system) : error.message;
}

/** The words of the outermost error, with the system's own in plain ones. */
function systemMessage(outer: Error, system: SystemError): string {
  const reason = REASONS[codeOf(system)];
  if (reason === undefined) return outer.message;
  const where = system.port === undefined ? system.address : `${system.address}:${system.port}`;
  if (outer === system || outer.message === '') return `cannot reach ${where ?? 'the host'}: ${reason}`;
  if (outer.message.includes(system.message)) return outer.message.replace(system.message, reason);
  return outer.message.includes(reason) ? outer.message : `${outer.message} (${reason})`;
}

interface ParserError extends Error {
  readonly flags?: readonly string[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
  readonly oclif?: { readonly exit?: number | false };
}

/** oclif's complaints about the command line, in our words. */
function parserExplanation(error: ParserError): Explanation | undefined {
  if (error.oclif?.exit !== ExitCode.Usage) return undefined;
  const flag = error.flags?.[0];
  if (flag === undefined) return { message: plain(error.message), hint: 'See --help', exit: ExitCode.Usage };
  const near = nearest(
    flag.replace(/^-+/, '').replace(/=.*$/s, ''),
    Object.keys(error.parse?.input?.flags ?? {}),
  );
  const hint = near
    ? `Did you mean --${near}?`
    : 'See --help for the flags, and put "--" before an argument that starts with "-"';
  return { message: `unknown flag ${flagName(flag)}`, hint, exit: ExitCode.Usage };
}

/** Without its value; one letter with the one dash that it was given with, in all likelihood. */
function flagName(flag: string): string {
  return flag.replace(/=.*$/s, '').replace(/^-(-\w)$/, '$1');
}

function plain(message: string): string {
  const [line = ''] = message.split('\n');
  return line.charAt(0).toLowerCase() + line.slice(1);
}

/** One line: what failed and where, then what to do next. */
export function renderExplanation({ message, hint }: Explanation): string {
  if (hint === undefined) return `error: ${message}`;
  const end = /[.?!]$/.test(message) ? '' : '.';
  return `error: ${message}${end} ${hint}${/[.?!]$/.test(hint) ? '' : '.'}`;
}
