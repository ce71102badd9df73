import assert from 'node:assert/strict';
import { VirtualClock, type HostClock } from '../../sim/virtual/clock.ts';
import { SSD_LATENCY, VirtualDisk, type VirtualDiskOptions } from '../../sim/virtual/disk.ts';
import type { BrokerError } from '../base/broker-error.ts';
import type { ErrorCode } from '../base/errors.ts';
import { nullLogger } from '../base/logger.ts';
import { Random } from '../base/random.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { developmentConfig } from '../config/development.ts';
import { registration } from '../controller/controller-harness.test.ts';
import type { ControllerApiKey, ControllerApis } from '../controller/controller-request.ts';
import { PortableCompute } from '../io/node/portable/compute.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { openLogDirectories } from '../log/open-directories.ts';
import type { MetadataDelta } from '../metadata/metadata-delta.ts';
import { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';
import { RaftDriver } from './raft-driver.ts';

const ANYONE = { principal: 'User:ANONYMOUS', clientHost: '127.0.0.1' };
const compute = new PortableCompute();

/** What an image holds, to compare images by. */
export function contentOf(image: MetadataImage): unknown {
  return { provenance: image.provenance, records: [...image.toRecords()] };
}

/** A subscriber that checks the chain of publications. */
export class Follower implements MetadataPublisher {
  image = MetadataImage.EMPTY;
  calls = 0;
  /** All that was published. */
  readonly images: MetadataImage[] = [];
  /** The image of the first call: after a restart, what was replayed. */
  first: MetadataImage | null = null;

  onMetadata(delta: MetadataDelta, image: MetadataImage): void {
    assert.equal(delta.image, this.image, 'a delta starts where the image before ended');
    assert.ok(image.provenance.offset > this.image.provenance.offset);
    this.image = image;
    this.images.push(image);
    this.first ??= image;
    this.calls++;
  }
}

/** What became of one request. */
export interface Answer<R> {
  errorCode: ErrorCode | null;
  response: R | null;
}

/** A machine with a virtual disk, on which drivers come and go. */
export class Machine {
  readonly clock = new VirtualClock();
  readonly disk: VirtualDisk;
  readonly random: Random;
  readonly config: BrokerConfig;
  driver: RaftDriver | null = null;
  directory: LogDirectory | null = null;
  follower = new Follower();
  #host: HostClock;

  constructor(options: { seed?: number; disk?: VirtualDiskOptions; configs?: Record<string, string> } = {}) {
    this.random = new Random(options.seed ?? 1);
    const random = this.random.fork();
    this.disk = new VirtualDisk({ clock: this.clock, random, latency: SSD_LATENCY, ...options.disk });
    const surroundings = { hostName: 'localhost', workingDirectory: '/' };
    this.config = developmentConfig(options.configs ?? {}, surroundings);
    this.#host = this.clock.forHost();
  }

  /** Directory of the metadata log. */
  get logPath(): string {
    return `${this.config.metadataLogDir}/__cluster_metadata-0`;
  }

  /** Starts a driver and runs until it leads, or returns why it does not. */
  tryStart(): BrokerError | null {
    this.#host.stop();
    this.#host = this.clock.forHost();
    this.follower = new Follower();
    const environment = {
      clock: this.#host,
      disk: this.disk,
      compute,
      logger: nullLogger,
      random: this.random.fork(),
    };
    const paths = [this.config.metadataLogDir];
    let outcome: BrokerError | null | undefined;
    openLogDirectories(
      environment,
      { paths, nodeId: this.config.nodeId, clusterId: 'odradek-harness-cluster', formatBlank: true },
      (error, [directory]) => {
        if (directory === undefined) {
          outcome = error;
          return;
        }
        this.directory = directory;
        RaftDriver.open({ environment, config: this.config, directory }, (problem, driver) => {
          outcome = problem;
          this.driver = driver;
          driver?.subscribe(this.follower);
        });
      },
    );
    assert.ok(
      this.clock.runUntilTrue(() => outcome !== undefined),
      'the start came to no end',
    );
    if (outcome !== null) this.directory?.release();
    return outcome as BrokerError | null;
  }

  /** Starts a driver. */
  start(): RaftDriver {
    const problem = this.tryStart();
    if (problem !== null) throw problem;
    return this.driver as RaftDriver;
  }

  /** Stops in good order. */
  stop(): void {
    let closed = false;
    this.driver?.close(() => {
      closed = true;
    });
    assert.ok(this.clock.runUntilTrue(() => closed));
    this.directory?.release();
    this.driver = null;
  }

  /** The machine loses its power, or the process its life. */
  crash(kind: 'power' | 'process'): void {
    this.#host.stop();
    this.disk.crash(kind);
    this.driver = null;
  }

  /** Asks; the answer is filled in when it comes. */
  ask<K extends ControllerApiKey>(
    apiKey: K,
    body: ControllerApis[K]['request'],
    apiVersion: number,
  ): Answer<ControllerApis[K]['response']> {
    const answer: Answer<ControllerApis[K]['response']> = { errorCode: null, response: null };
    let inCall = true;
    this.driver?.forward(apiKey, apiVersion, body, ANYONE, (errorCode, response) => {
      assert.ok(!inCall, 'no answer comes within the call');
      assert.equal(answer.errorCode, null, 'an answer comes once');
      answer.errorCode = errorCode;
      answer.response = response;
    });
    inCall = false;
    return answer;
  }

  /** Asks and runs until the answer is there. */
  call<K extends ControllerApiKey>(
    apiKey: K,
    body: ControllerApis[K]['request'],
    apiVersion: number,
  ): Answer<ControllerApis[K]['response']> {
    const answer = this.ask(apiKey, body, apiVersion);
    assert.ok(
      this.clock.runUntilTrue(() => answer.errorCode !== null),
      'no answer came',
    );
    return answer;
  }

  /** Registers broker 1 and has it unfenced; returns its epoch. */
  joinBroker(incarnation = 1): number {
    const brokerEpoch = this.call(62, registration(1, { incarnation }), 4).response?.brokerEpoch ?? -1;
    const currentMetadataOffset = this.follower.image.provenance.offset;
    const beat = { brokerId: 1, brokerEpoch, currentMetadataOffset, wantFence: false, wantShutDown: false };
    this.call(63, { ...beat, offlineLogDirs: [] }, 1);
    return brokerEpoch;
  }
}
