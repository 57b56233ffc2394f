export type { Body } from '../protocol/commands.js';
export { type ErrorCode, ProtocolError } from '../protocol/errors.js';
export { Consumer, type ConsumerStats } from './consumer.js';
export type { ClientReport, ConsumeContext, PublishContext } from './diagnostics.js';
export {
  BrokerError,
  ConnectionError,
  type ConnectionErrorCode,
  LookupError,
  type LookupErrorCode,
  NsqError,
  OptionError,
  PublishError,
  type PublishErrorCode,
} from './errors.js';
export type { ConsumerEvents, LinkEvents } from './events.js';
export type { Message, RequeueOptions } from './message.js';
export type {
  BackoffStrategy,
  CloseOptions,
  ConnectionOptions,
  ConsumerCloseOptions,
  ConsumerOptions,
  ProducerOptions,
} from './options.js';
export { Producer, type ProducerEvents, type PublishOptions } from './producer.js';
export type { MessageHandler, RunOptions } from './runner.js';
export type { Pem, TlsOptions } from './tls-options.js';
