import { beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/index.js';
import { startBroker } from '../../src/broker/index.js';
import { RawClient } from '../support/raw-client.js';
import { cleanup } from '../support/temp.js';
import { sized } from '../support/wire.js';

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
  cleanup(() => broker.close(), 'file');
});

async function answerTo(body: string): Promise<{ first: string; closed: boolean }> {
  const client = await RawClient.connect(broker.tcpAddress);
  client.send('IDENTIFY\n', sized(body));
  const frame = await client.next();
  if (frame.type !== 'error')
    return { first: frame.type === 'response' ? frame.text : 'message', closed: false };
  await client.ended();
  return { first: frame.text, closed: true };
}

async function negotiated(fields: string): Promise<unknown> {
  return JSON.parse((await answerTo(`{"feature_negotiation":true,${fields}}`)).first);
}

describe('the body of IDENTIFY', () => {
  it.each([
    '{}',
    'null',
    ' {"client_id":null,"heartbeat_interval":null} ',
    '{"other":[1,{"x":2}]}',
    '{"Short_Id":"x"}',
  ])('may be %s', async (body) => {
    expect(await answerTo(body)).toEqual({ first: 'OK', closed: false });
  });

  it.each(['', '[]', '[1]', '""', '1', 'true', '{', '{}x', "{'a':1}", '{"a":1,}', 'NaN', '\ufeff{}'])(
    'may not be %j',
    async (body) => {
      const { first, closed } = await answerTo(body);
      expect(first).toMatch(/^E_BAD_BODY IDENTIFY /);
      expect(closed).toBe(true);
    },
  );

  it.each([
    ['client_id', '7'],
    ['hostname', 'true'],
    ['user_agent', '{}'],
    ['feature_negotiation', '1'],
    ['feature_negotiation', '"true"'],
    ['heartbeat_interval', '"1000"'],
    ['heartbeat_interval', '1000.5'],
    ['heartbeat_interval', '999'],
    ['heartbeat_interval', '60001'],
    ['heartbeat_interval', '-2'],
    ['heartbeat_interval', '9223372036854775808'],
    ['output_buffer_size', '63'],
    ['output_buffer_size', '65537'],
    ['output_buffer_size', '[]'],
    ['output_buffer_timeout', '24'],
    ['output_buffer_timeout', '30001'],
    ['sample_rate', '100'],
    ['sample_rate', '-1'],
    ['sample_rate', '2147483648'],
    ['msg_timeout', '-1'],
    ['msg_timeout', '999'],
    ['msg_timeout', '900001'],
    ['deflate_level', '1.5'],
    ['tls_v1', '0'],
    ['snappy', 'null,"deflate":0'],
    ['topology_zone', '1'],
  ])('is refused for %s of %s', async (field, value) => {
    const { first, closed } = await answerTo(`{"${field}":${value}}`);
    expect(first).toMatch(/^E_BAD_BODY IDENTIFY /);
    expect(closed).toBe(true);
  });

  it('is read whatever the case of its fields', async () => {
    const answer = await negotiated('"MSG_Timeout":2000,"Sample_Rate":5,"OUTPUT_BUFFER_SIZE":64');
    expect(answer).toMatchObject({ msg_timeout: 2000, sample_rate: 5, output_buffer_size: 64 });
  });

  it('turns things off with -1', async () => {
    expect(await negotiated('"output_buffer_timeout":-1')).toMatchObject({ output_buffer_timeout: 0 });
    expect(await negotiated('"output_buffer_size":-1,"output_buffer_timeout":100')).toMatchObject({
      output_buffer_size: 1,
      output_buffer_timeout: 0,
    });
  });

  it('is answered with the fields in their order', async () => {
    expect(Object.keys((await negotiated('"client_id":"x"')) as object)).toEqual([
      'max_rdy_count',
      'version',
      'max_msg_timeout',
      'msg_timeout',
      'tls_v1',
      'deflate',
      'deflate_level',
      'max_deflate_level',
      'snappy',
      'sample_rate',
      'auth_required',
      'output_buffer_size',
      'output_buffer_timeout',
      'topology_region',
      'topology_zone',
    ]);
  });
});
