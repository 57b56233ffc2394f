import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestBroker } from 'nsq/testing';
import { billing } from './orders.mjs';

describe('billing', () => {
  let broker;
  let service;

  before(async () => {
    broker = await createTestBroker();
    service = billing(broker.tcpAddress);
  });

  after(async () => {
    await service.close();
    await broker.close();
  });

  test('bills every order', async () => {
    const bills = broker.collect('bills');
    await broker.publishAndDrain('orders', 'billing', ['{"id":1,"total":10}', '{"id":2,"total":5}']);
    assert.deepEqual(
      bills.messages.map((message) => message.json()),
      [
        { order: 1, due: 12 },
        { order: 2, due: 6 },
      ],
    );
  });

  test('bills an order once more when the bill could not be published', async () => {
    const bills = broker.collect('bills');
    broker.failPublishes(1, { topic: 'bills' });
    await broker.publishAndDrain('orders', 'billing', ['{"id":3,"total":1}']);
    assert.equal(bills.messages.length, 1);
    assert.equal((await broker.stats('orders', 'billing')).requeued, 1);
  });
});
