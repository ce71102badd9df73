import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerError } from '../../src/base/broker-error.ts';
import { ErrorCode } from '../../src/base/errors.ts';
import { nullLogger } from '../../src/base/logger.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { ControllerChannel } from '../../src/broker/controller-channel.ts';
import { Lifecycle } from '../../src/broker/lifecycle.ts';
import { ProducerIds } from '../../src/broker/producer-ids.ts';
import { ManualClock } from './manual-clock.ts';

type HeartbeatRequest = Parameters<ControllerChannel['heartbeat']>[0];
type HeartbeatAnswer = Parameters<ControllerChannel['heartbeat']>[1];
type RegisterAnswer = Parameters<ControllerChannel['register']>[1];

/** A controller that a test answers for. */
class HandController {
  readonly registrations: RegisterAnswer[] = [];
  readonly heartbeats: { request: HeartbeatRequest; done: HeartbeatAnswer }[] = [];

  register(_request: unknown, done: RegisterAnswer): void {
    this.registrations.push(done);
  }

  heartbeat(request: HeartbeatRequest, done: HeartbeatAnswer): void {
    this.heartbeats.push({ request, done });
  }

  answerRegistration(errorCode: number, brokerEpoch = 7): void {
    this.registrations.shift()?.(ErrorCode.NONE, { throttleTimeMs: 0, errorCode, brokerEpoch });
  }

  answerHeartbeat(fields: { isFenced?: boolean; shouldShutDown?: boolean; errorCode?: number } = {}): void {
    this.heartbeats.shift()?.done(ErrorCode.NONE, {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      isFenced: false,
      shouldShutDown: false,
      ...fields,
    });
  }
}

function set() {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const controller = new HandController();
  let results: (BrokerError | null)[] = [];
  const lifecycle = new Lifecycle({
    brokerId: 1,
    clusterId: 'c',
    incarnationId: 'AAAAAAAAAAAAAAAAAAAAAg',
    rack: null,
    endpoints: [],
    directoryIds: [],
    previousBrokerEpoch: -1,
    heartbeatIntervalMs: 2000,
    registrationTimeoutMs: 60_000,
    channel: controller as unknown as ControllerChannel,
    wheel,
    monotonicMs: () => clock.monotonicMs(),
    metadataOffset: () => 42,
    offlineDirectoryIds: () => [],
    logger: nullLogger,
  });
  lifecycle.start((error) => {
    results = [...results, error];
  });
  return { clock, controller, lifecycle, results: () => results };
}

test('a broker is active once it is registered and unfenced', () => {
  const { clock, controller, lifecycle, results } = set();
  assert.equal(lifecycle.state, 'starting');
  controller.answerRegistration(ErrorCode.NONE);
  assert.equal(lifecycle.state, 'registered');
  assert.equal(lifecycle.brokerEpoch, 7);
  assert.equal(controller.heartbeats[0]?.request.currentMetadataOffset, 42);
  controller.answerHeartbeat({ isFenced: true });
  assert.deepEqual(results(), []);
  clock.advance(200);
  controller.answerHeartbeat();
  assert.deepEqual(results(), [null]);
  assert.equal(lifecycle.state, 'active');
  clock.advance(1999);
  assert.equal(controller.heartbeats.length, 0);
  clock.advance(2);
  assert.equal(controller.heartbeats.length, 1);
});

test('a refusal that may pass is tried again, others and a time-out end the start', () => {
  for (const passing of [ErrorCode.DUPLICATE_BROKER_REGISTRATION, ErrorCode.NOT_CONTROLLER]) {
    const { clock, controller, results } = set();
    controller.answerRegistration(passing);
    clock.advance(200);
    assert.equal(controller.registrations.length, 1);
    assert.deepEqual(results(), []);
  }
  const refused = set();
  refused.controller.answerRegistration(ErrorCode.INCONSISTENT_CLUSTER_ID);
  assert.equal(refused.results()[0]?.code, 'REGISTRATION_FAILED');
  const slow = set();
  for (let i = 0; i < 1000 && slow.results().length === 0; i++) {
    slow.controller.answerRegistration(ErrorCode.DUPLICATE_BROKER_REGISTRATION);
    slow.clock.advance(150);
  }
  assert.equal(slow.results()[0]?.code, 'REGISTRATION_FAILED');
});

test('a broker that is fenced goes on with heartbeats until it is not', () => {
  const { clock, controller, lifecycle } = set();
  controller.answerRegistration(ErrorCode.NONE);
  controller.answerHeartbeat();
  clock.advance(2001);
  controller.answerHeartbeat({ isFenced: true });
  assert.equal(lifecycle.state, 'registered');
  clock.advance(101);
  controller.answerHeartbeat({ errorCode: ErrorCode.NOT_CONTROLLER });
  clock.advance(101);
  controller.answerHeartbeat();
  assert.equal(lifecycle.state, 'active');
});

test('one heartbeat is under way at a time', () => {
  const { clock, controller } = set();
  controller.answerRegistration(ErrorCode.NONE);
  clock.advance(10_000);
  assert.equal(controller.heartbeats.length, 1);
});

test('a broker leaves when the controller says so', () => {
  const { clock, controller, lifecycle } = set();
  controller.answerRegistration(ErrorCode.NONE);
  controller.answerHeartbeat();
  let gone = false;
  lifecycle.leave(() => {
    gone = true;
  });
  assert.equal(controller.heartbeats[0]?.request.wantShutDown, true);
  controller.answerHeartbeat({ isFenced: true });
  assert.equal(gone, false);
  clock.advance(101);
  controller.answerHeartbeat({ isFenced: true, shouldShutDown: true });
  assert.equal(gone, true);
  assert.equal(lifecycle.state, 'gone');
  clock.advance(60_000);
  assert.equal(controller.heartbeats.length, 0);
});

test('a controller that does not answer does not keep a broker from leaving', () => {
  const { clock, controller, lifecycle } = set();
  controller.answerRegistration(ErrorCode.NONE);
  controller.answerHeartbeat();
  let gone = 0;
  lifecycle.leave(() => gone++);
  clock.advance(4900);
  assert.equal(gone, 0);
  clock.advance(400);
  assert.equal(gone, 1);
  controller.answerHeartbeat({ shouldShutDown: true });
  assert.equal(gone, 1);
});

test('producer ids come from blocks, the next of which is asked for before the last is used up', () => {
  const asked: ((errorCode: number, response: object | null) => void)[] = [];
  const channel = {
    allocateProducerIds: (_request: unknown, done: (errorCode: number, response: object | null) => void) => {
      asked.push(done);
    },
  };
  const ids = new ProducerIds(1, () => 7, channel as unknown as ControllerChannel);
  const given: number[] = [];
  const errors: number[] = [];
  const take = () =>
    ids.allocate((errorCode, id) => (errorCode === ErrorCode.NONE ? given.push(id) : errors.push(errorCode)));
  const block = (producerIdStart: number) =>
    asked.shift()?.(ErrorCode.NONE, { errorCode: ErrorCode.NONE, producerIdStart, producerIdLen: 10 });
  take();
  take();
  assert.equal(asked.length, 1);
  block(100);
  assert.deepEqual(given, [100, 101]);
  for (let i = 0; i < 6; i++) take();
  assert.equal(asked.length, 0);
  take();
  assert.equal(asked.length, 1);
  block(500);
  for (let i = 0; i < 3; i++) take();
  assert.deepEqual(given, [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 500, 501]);
  for (let i = 0; i < 8; i++) take();
  take();
  asked.shift()?.(ErrorCode.NOT_CONTROLLER, null);
  assert.deepEqual(errors, [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS]);
  take();
  block(900);
  assert.equal(given.at(-1), 900);
  assert.equal(new Set(given).size, given.length);
});
