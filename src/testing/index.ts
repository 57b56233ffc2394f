export type { Body } from '../broker/index.js';
export type { ChannelStats } from './channel-stats.js';
export type { Collection, PublishedMessage } from './collection.js';
export type { FinishFault, PublishFault } from './faults.js';
export { createTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.js';
export type { WaitOptions } from './wait.js';
