import { createTestBroker } from 'nsq/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { billing } from './orders.mjs';

let broker;
let service;

beforeEach(async () => {
  broker = await createTestBroker();
  service = billing(broker.tcpAddress);
});

afterEach(async () => {
  await service.close();
  await broker.close();
});

test('bills every order', async () => {
  const bills = broker.collect('bills');
  await broker.publishAndDrain('orders', 'billing', ['{"id":1,"total":10}', '{"id":2,"total":5}']);
  expect(bills.messages.map((message) => message.json())).toEqual([
    { order: 1, due: 12 },
    { order: 2, due: 6 },
  ]);
});

test('goes on after the connection was lost', async () => {
  const bills = broker.collect('bills');
  await broker.publishAndDrain('orders', 'billing', ['{"id":1,"total":10}']);
  broker.dropConnections();
  await broker.publishAndDrain('orders', 'billing', ['{"id":2,"total":5}']);
  expect(bills.messages).toHaveLength(2);
});
