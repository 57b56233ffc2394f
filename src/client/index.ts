export type { Body } from '../protocol/commands.js';
export { type ErrorCode, ProtocolError } from '../protocol/errors.js';
export { Consumer, type ConsumerEvents } from './consumer.js';
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
export type { LinkEvents } from './events.js';
export type { Message, RequeueOptions } from './message.js';
export type { CloseOptions, ConnectionOptions, ConsumerOptions, ProducerOptions } from './options.js';
export { Producer, type PublishOptions } from './producer.js';
export type { MessageHandler, RunOptions } from './runner.js';
