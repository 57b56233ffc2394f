import { hostname } from 'node:os';
import type { ConsumerOptions } from '../../client/index.js';
import { leveled } from '../../daemon/logger.js';
import { sourceAddresses } from '../client-options.js';
import { UsageError } from '../errors.js';
import type { Logger } from '../logger.js';
import { checkedName } from '../names.js';
import type { SettingSource } from '../resolution.js';
import type { ValuesOf } from '../settings.js';
import { messageFormat } from '../tail/message-format.js';
import { Archiver, type ArchiverOptions } from './archiver.js';
import { DISK } from './file-layer.js';
import { FileName } from './file-name.js';
import { movesFiles } from './rotating-output.js';
import type { TO_FILE_SETTINGS } from './to-file-settings.js';
import { topicPattern } from './topic-pattern.js';

type Values = ValuesOf<typeof TO_FILE_SETTINGS>;

export interface ArchivePlan {
  readonly archiver: Archiver;
  readonly logger: Logger;
  /** Starts with the topics; resolves when they are subscribed to, or (without any given) with the end of `signal`. */
  readonly start: (signal: AbortSignal) => Promise<void>;
}

/** What the settings ask for. Throws {@link UsageError} where they do not go together. */
export function archivePlan(
  values: Values,
  sources: ReadonlyMap<string, SettingSource>,
  consumerOptions: Partial<ConsumerOptions>,
  sink: Logger,
): ArchivePlan {
  const logger = leveled(sink, () => values['log-level']);
  const options = archiverOptions(values, sources, consumerOptions, logger);
  const pattern = values['topic-pattern'] === '' ? undefined : topicPattern(values['topic-pattern']);
  const topics = givenTopics(values, pattern, logger);
  const lookupds = [options.source.lookupdHttpAddresses ?? []].flat();
  if (values.topic.length === 0) {
    if (!pattern) throw new UsageError('--topic or --topic-pattern required', { hint: 'As in --topic test' });
    if (lookupds.length === 0)
      throw new UsageError('--lookupd-http-address must be specified when no --topic specified', {
        hint: 'As in --lookupd-http-address 127.0.0.1:4161',
      });
  }
  for (const topic of topics.length === 0 ? ['topic'] : topics) new FileName(topic, options.fileNames);

  const archiver = new Archiver(options);
  const start = async (signal: AbortSignal): Promise<void> => {
    if (topics.length > 0) await Promise.all(topics.map((topic) => archiver.add(topic)));
    else await follow(archiver, values, { lookupds, pattern, logger, signal });
  };
  return { archiver, logger, start };
}

function archiverOptions(
  values: Values,
  sources: ReadonlyMap<string, SettingSource>,
  consumerOptions: Partial<ConsumerOptions>,
  logger: Logger,
): ArchiverOptions {
  const outputDir = values['output-dir'];
  const directories = { outputDir, workDir: values['work-dir'] || outputDir };
  const { gzip, 'rotate-size': rotateSize, 'rotate-interval': rotateInterval } = values;
  return {
    channel: checkedName('channel', values.channel),
    source: sourceAddresses(values, sources),
    maxInFlight: values['max-in-flight'],
    consumerOptions,
    fileNames: {
      filenameFormat: values['filename-format'],
      datetimeFormat: values['datetime-format'],
      hostIdentifier: values['host-identifier'],
      hostname: hostname(),
      pid: process.pid,
      gzip,
      revisions: gzip || rotateSize > 0 || rotateInterval > 0 || movesFiles(directories),
    },
    output: {
      ...directories,
      gzipLevel: gzip ? values['gzip-level'] : undefined,
      rotateSize,
      rotateInterval,
      endsLines: values.format !== 'raw',
    },
    format: messageFormat(values.format),
    syncInterval: values['sync-interval'],
    skipEmptyFiles: values['skip-empty-files'],
    files: DISK,
    now: Date.now,
    logger,
  };
}

/** Those of `--topic` that match. */
function givenTopics(values: Values, pattern: RegExp | undefined, logger: Logger): readonly string[] {
  const topics = [...new Set(values.topic)].map((topic) => checkedName('topic', topic));
  const matching = topics.filter((topic) => !pattern || pattern.test(topic));
  if (topics.length > 0 && matching.length === 0)
    throw new UsageError(`no --topic matches --topic-pattern ${values['topic-pattern']}`);
  for (const topic of topics)
    if (!matching.includes(topic))
      logger.warn(`skipping topic ${topic} (doesn't match pattern ${values['topic-pattern']})`);
  return matching;
}

interface Following {
  readonly lookupds: readonly string[];
  readonly pattern: RegExp | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function follow(archiver: Archiver, values: Values, following: Following): Promise<void> {
  const { lookupds, pattern, logger, signal } = following;
  const [{ TopicDiscovery }, { FollowedTopics }, { parseHttpAddress }] = await Promise.all([
    import('./topic-discovery.js'),
    import('./followed-topics.js'),
    import('../cluster/http-address.js'),
  ]);
  const discovery = new TopicDiscovery({
    lookupds: lookupds.map((text) => parseHttpAddress('lookupd-http-address', text)),
    refresh: values['topic-refresh'],
    connectTimeout: values['http-client-connect-timeout'],
    requestTimeout: values['http-client-request-timeout'],
    logger,
  });
  const topics = new FollowedTopics(archiver, pattern, logger);
  await discovery.run((list) => topics.follow(list), signal);
}
