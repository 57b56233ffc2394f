import { UsageError } from '../errors.js';
import { strftime } from './strftime.js';

export interface FileNameOptions {
  readonly filenameFormat: string;
  readonly datetimeFormat: string;
  /** '' for the host name up to its first dot. */
  readonly hostIdentifier: string;
  readonly hostname: string;
  readonly pid: number;
  readonly gzip: boolean;
  /** Whether files are numbered: with gzip, rotation or a work directory. */
  readonly revisions: boolean;
}

const REV = '<REV>';

/**
 * The names of one topic's files, as nsq_to_file makes them. Throws {@link UsageError} where `<REV>` is needed and
 * missing, and for a topic whose name would lead out of the directory.
 */
export class FileName {
  readonly #template: string;
  readonly #datetimeFormat: string;

  constructor(topic: string, options: FileNameOptions) {
    const { filenameFormat, hostIdentifier, hostname, pid, gzip, revisions } = options;
    if (revisions && !filenameFormat.includes(REV)) {
      throw new UsageError('missing <REV> in --filename-format when gzip, rotation, or work dir enabled', {
        hint: "As in --filename-format '<TOPIC>.<HOST><REV>.<DATETIME>.log'",
      });
    }
    const [shortHost = ''] = hostname.split('.', 1);
    const host = replace(
      replace(hostIdentifier || '<SHORT_HOST>', '<SHORT_HOST>', shortHost),
      '<HOSTNAME>',
      hostname,
    );
    const numbered = revisions ? filenameFormat : replace(filenameFormat, REV, '');
    const named = replace(replace(replace(numbered, '<TOPIC>', topic), '<HOST>', host), '<PID>', String(pid));
    // `.` and `..` are names of topics, too.
    if (/^\.\.?$/.test(topic) && named.split('/').includes(topic))
      throw new UsageError(`the topic name "${topic}" cannot be a file or directory name`);
    this.#template = gzip && !named.endsWith('.gz') ? `${named}.gz` : named;
    this.#datetimeFormat = options.datetimeFormat;
  }

  /** The name at that time, with `<REV>` still in it. */
  at(date: Date): string {
    if (!this.#template.includes('<DATETIME>')) return this.#template;
    return replace(this.#template, '<DATETIME>', strftime(this.#datetimeFormat, date));
  }
}

/** As nsq_to_file has it, a slash at the end does not count. */
export function withRevision(name: string, revision: number): string {
  return replace(name, REV, `-${String(revision).padStart(6, '0')}`).replace(/\/+$/, '');
}

/** Each `part`; `by` is taken as it is, `$` too. */
function replace(text: string, part: string, by: string): string {
  return text.replaceAll(part, () => by);
}
