import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clash,
  formatAddress,
  formatEndpoint,
  isWildcard,
  parseEndpoint,
  parseProtocolMap,
} from './listeners.ts';

test('endpoints are read with names in capitals, IPv6 in brackets and empty hosts', () => {
  const cases: [string, string, string, number][] = [
    ['PLAINTEXT://127.0.0.1:9092', 'PLAINTEXT', '127.0.0.1', 9092],
    ['client_1://broker-1.example.com:0', 'CLIENT_1', 'broker-1.example.com', 0],
    ['PLAINTEXT://:9092', 'PLAINTEXT', '', 9092],
    ['PLAINTEXT://[::1]:9092', 'PLAINTEXT', '::1', 9092],
    ['PLAINTEXT://[fe80::1%eth0]:65535', 'PLAINTEXT', 'fe80::1%eth0', 65535],
    ['PLAINTEXT://::1:9092', 'PLAINTEXT', '::1', 9092],
    ['A.B-C://0.0.0.0:1', 'A.B-C', '0.0.0.0', 1],
  ];
  for (const [text, listenerName, host, port] of cases) {
    assert.deepEqual(parseEndpoint(text), { listenerName, host, port }, text);
  }
});

test('what is no endpoint is refused', () => {
  for (const bad of [
    '',
    'localhost:9092',
    '://:9092',
    'A://host',
    'A://host:',
    'A://host:65536',
    'A://host:-1',
    'A://[::1:9092',
    'A://ho st:1',
    'A://a/b:1',
    'A://[host]:1',
    'A:host:1',
    'A://h:1,B://h:2',
    'A://h:1 ',
  ]) {
    assert.equal(parseEndpoint(bad), null, bad);
  }
});

test('an endpoint is written as it is read', () => {
  for (const text of ['PLAINTEXT://[::1]:9092', 'PLAINTEXT://:9092', 'SSL://h:1']) {
    const endpoint = parseEndpoint(text);
    assert.ok(endpoint !== null);
    assert.equal(formatEndpoint(endpoint), text);
  }
  assert.equal(formatAddress({ host: '::1', port: 1 }), '[::1]:1');
});

test('addresses that mean every interface are known', () => {
  for (const host of ['', '0.0.0.0', '::', '0:0:0:0:0:0:0:0']) assert.ok(isWildcard(host), host);
  for (const host of ['127.0.0.1', '::1', 'localhost', '10.0.0.0']) assert.ok(!isWildcard(host), host);
});

test('a name or a port used twice is found, one port on two addresses is fine', () => {
  const endpoints = (...texts: string[]) => texts.map((text) => parseEndpoint(text) ?? assert.fail(text));
  assert.equal(clash(endpoints('A://h:1', 'B://h:2', 'C://h:0', 'D://h:0')), null);
  assert.equal(clash(endpoints('A://127.0.0.1:1', 'B://[::1]:1')), null);
  assert.match(clash(endpoints('A://h:1', 'a://h:2')) ?? '', /A is there twice/);
  assert.match(clash(endpoints('A://h:1', 'B://h:1')) ?? '', /both have port 1/);
  assert.match(clash(endpoints('A://127.0.0.1:1', 'B://:1')) ?? '', /both have port 1/);
});

test('the protocol map takes known protocols and each name once', () => {
  assert.deepEqual(
    parseProtocolMap('a:plaintext , B:SASL_SSL,'),
    new Map([
      ['A', 'PLAINTEXT'],
      ['B', 'SASL_SSL'],
    ]),
  );
  for (const bad of ['A', 'A:TLS', ':SSL', 'A:SSL,a:PLAINTEXT'])
    assert.equal(typeof parseProtocolMap(bad), 'string', bad);
});
