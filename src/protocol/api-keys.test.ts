import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_KEYS, apiByKey } from './api-keys.ts';
import { FetchRequest, FetchResponse } from './messages/fetch.ts';

test('there are 89 APIs, by ascending key, and each is found by its key', () => {
  assert.equal(API_KEYS.length, 89);
  const keys = API_KEYS.map((api) => api.key);
  assert.deepEqual(
    keys,
    [...keys].sort((a, b) => a - b),
  );
  for (const api of API_KEYS) assert.equal(apiByKey(api.key), api);
});

test('keys that were removed or never given out are no API', () => {
  for (const key of [-1, 4, 5, 6, 7, 93, 40000]) assert.equal(apiByKey(key), null);
});

test('an API is described by its schemas and a few traits', () => {
  assert.deepEqual(apiByKey(1), {
    key: 1,
    name: 'Fetch',
    minVersion: 4,
    maxVersion: 18,
    flexibleFrom: 12,
    listeners: ['broker', 'controller'],
    latestVersionUnstable: false,
    forwardable: false,
    clusterAction: false,
    request: FetchRequest,
    response: FetchResponse,
  });
  assert.deepEqual(
    API_KEYS.filter((api) => api.latestVersionUnstable).map((api) => api.name),
    ['InitProducerId'],
  );
  assert.equal(apiByKey(19)?.forwardable, true);
  assert.equal(apiByKey(52)?.clusterAction, true);
  assert.ok((apiByKey(17)?.flexibleFrom ?? 0) > 1000);
});

test('request and response of an API have the same versions, flexible from the same one on', () => {
  for (const { name, request, response } of API_KEYS) {
    assert.equal(response.name, `${name}Response`);
    assert.equal(request.versions, response.versions, name);
    assert.equal(request.flexible, response.flexible, name);
  }
});
