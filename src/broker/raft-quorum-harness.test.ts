import assert from 'node:assert/strict';
import { type HostClock, VirtualClock } from '../../sim/virtual/clock.ts';
import { SSD_LATENCY, VirtualDisk } from '../../sim/virtual/disk.ts';
import { ErrorCode } from '../base/errors.ts';
import { nullLogger } from '../base/logger.ts';
import { Random } from '../base/random.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { developmentConfig } from '../config/development.ts';
import { createTopics, registration } from '../controller/controller-harness.test.ts';
import type { ControllerApiKey, ControllerApis } from '../controller/controller-request.ts';
import { PortableCompute } from '../io/node/portable/compute.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { openLogDirectories } from '../log/open-directories.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { RequestToSend, ServedApiKey } from '../raft/raft-api.ts';
import { endpointsOf, overTheWire, VERSIONS_ANSWER, versionOf, voterOf } from '../raft/raft-harness.test.ts';
import { RaftDriver } from './raft-driver.ts';
import type { PeerAnswer, PeerRequest, RaftReply } from './raft-transport.ts';
import { contentOf } from './raft-driver-machine.test.ts';

const compute = new PortableCompute();
/** On whose behalf requests are made. */
export const ANYONE = { clientId: '', principal: 'User:ANONYMOUS', clientHost: '' } as never;
const UNREACHED: RaftReply = { body: null, errorCode: ErrorCode.NETWORK_EXCEPTION };

/** One node of a quorum of drivers. */
export interface Member {
  readonly disk: VirtualDisk;
  host: HostClock;
  driver: RaftDriver | null;
  directory: LogDirectory | null;
  image: MetadataImage | null;
  handle: ((request: PeerRequest, done: PeerAnswer) => void) | null;
}

/** Several drivers with virtual disks, connected by the real encoding of their messages. */
export class QuorumOfDrivers {
  readonly clock = new VirtualClock();
  readonly members = new Map<number, Member>();
  readonly cut = new Set<number>();
  readonly #random: Random;
  readonly #voters: number;
  readonly #configs: Record<string, string>;
  #brokerEpoch = -1;

  constructor(seed: number, nodes: number, voters = nodes, configs: Record<string, string> = {}) {
    this.#random = new Random(seed);
    this.#voters = voters;
    this.#configs = configs;
    for (let id = 1; id <= nodes; id++) {
      const random = this.#random.fork();
      const disk = new VirtualDisk({ clock: this.clock, random, latency: SSD_LATENCY });
      this.members.set(id, {
        disk,
        host: this.clock.forHost(),
        driver: null,
        directory: null,
        image: null,
        handle: null,
      });
      this.start(id);
    }
  }

  start(id: number): void {
    const member = this.members.get(id) as Member;
    member.host = this.clock.forHost();
    const { host, disk } = member;
    const environment = { clock: host, disk, compute, logger: nullLogger, random: this.#random.fork() };
    const surroundings = { hostName: 'localhost', workingDirectory: '/' };
    const config = developmentConfig({ 'node.id': `${id}`, ...this.#configs }, surroundings);
    const voters = Array.from({ length: this.#voters }, (_, i) => ({
      ...voterOf(i + 1),
      voterDirectoryId: ZERO_UUID,
    }));
    const quorum = {
      transport: {
        send: (request: RequestToSend, done: (reply: RaftReply) => void) => this.#send(id, request, done),
        serve: (handle: (request: PeerRequest, done: PeerAnswer) => void) => {
          member.handle = handle;
        },
      },
      voters,
      endpoints: endpointsOf(id),
      listenerName: 'CONTROLLER',
      bootstrapServers: [],
      canBecomeVoter: id <= this.#voters,
    };
    const identity = { nodeId: id, clusterId: 'odradek-harness-cluster', formatBlank: true };
    openLogDirectories(environment, { paths: [config.metadataLogDir], ...identity }, (error, [directory]) => {
      if (directory === undefined) throw error ?? new Error('no directory');
      member.directory = directory;
      RaftDriver.open({ environment, config, directory, quorum }, (problem, driver) => {
        if (driver === null) throw problem ?? new Error('no driver');
        member.driver = driver;
        driver.subscribe({
          onMetadata: (_delta, image) => {
            member.image = image;
          },
        });
      });
    });
  }

  crash(id: number): void {
    const member = this.members.get(id) as Member;
    member.host.stop();
    member.disk.crash('power');
    member.driver = null;
    member.handle = null;
  }

  get leader(): RaftDriver | null {
    const leading = [...this.members.values()].flatMap(({ driver }) =>
      driver?.state === 'leading' ? [driver] : [],
    );
    return leading.sort((a, b) => b.epoch - a.epoch)[0] ?? null;
  }

  leaderId(): number {
    return [...this.members].find(([, { driver }]) => driver !== null && driver === this.leader)?.[0] ?? -1;
  }

  /** Has broker 1 registered and unfenced, so that topics can be made. */
  join(): void {
    if (this.#brokerEpoch < 0) {
      this.#brokerEpoch = this.call(62, 4, registration(1, { incarnation: 1 }))?.brokerEpoch ?? -1;
    }
    const currentMetadataOffset = this.leader?.committedEndOffset ?? 0;
    const beat = { brokerId: 1, brokerEpoch: this.#brokerEpoch, currentMetadataOffset };
    this.call(63, 1, { ...beat, wantFence: false, wantShutDown: false, offlineLogDirs: [] });
  }

  makeTopic(name: string): void {
    this.join();
    this.call(19, 7, createTopics([{ name, numPartitions: 3, replicationFactor: 1 }]));
  }

  /** Asks whoever leads until the request is done. */
  call<K extends ControllerApiKey>(
    apiKey: K,
    version: number,
    body: ControllerApis[K]['request'],
  ): ControllerApis[K]['response'] | null {
    let errorCode: ErrorCode | null = ErrorCode.NOT_CONTROLLER;
    let response: ControllerApis[K]['response'] | null = null;
    const ask = (): void => {
      errorCode = null;
      this.leader?.forward(apiKey, version, body, ANYONE, (code, answer) => {
        errorCode = code;
        response = answer;
      });
    };
    const isDone = this.clock.runUntilTrue(() => {
      if (errorCode === ErrorCode.NOT_CONTROLLER && this.leader !== null) ask();
      return errorCode === ErrorCode.NONE;
    }, 60_000);
    assert.ok(isDone, `the answer is ${String(errorCode)}`);
    return response;
  }

  /** Runs until all members have published the same. */
  converge(): void {
    const isEqual = (): boolean => {
      const { leader } = this;
      if (leader === null) return false;
      const drivers = [...this.members.values()].flatMap(({ driver }) => driver ?? []);
      return (
        drivers.length === this.members.size &&
        drivers.every(({ committedEndOffset }) => committedEndOffset === leader.image.provenance.offset + 1)
      );
    };
    assert.ok(this.clock.runUntilTrue(isEqual, 60_000), 'the members do not come to the same');
    const [first, ...others] = [...this.members.values()].map(({ image }) =>
      contentOf(image as MetadataImage),
    );
    for (const other of others) assert.deepEqual(other, first);
    for (const { driver } of this.members.values()) driver?.checkInvariants();
  }

  #send(from: number, request: RequestToSend, done: (reply: RaftReply) => void): void {
    const to = Number(request.destination.host.slice('node'.length));
    const sender = this.members.get(from) as Member;
    const { handle } = sender;
    const later = (act: () => void): void => {
      this.clock.schedule(this.clock.monotonicMs() + this.#random.below(5), act);
    };
    const reply = (answer: RaftReply): void =>
      later(() => {
        if (sender.handle === handle) done(answer);
      });
    later(() => {
      const target = this.members.get(to);
      if (target === undefined || target.handle === null || this.cut.has(from) || this.cut.has(to)) {
        return reply(UNREACHED);
      }
      if (request.apiKey === 18) return reply({ body: VERSIONS_ANSWER });
      const apiKey: ServedApiKey = request.apiKey;
      const peer = { apiKey, apiVersion: versionOf(apiKey), body: overTheWire(apiKey, true, request.body) };
      return target.handle(peer, (body) => {
        if (this.cut.has(from) || this.cut.has(to)) return reply(UNREACHED);
        return reply({ body: overTheWire(apiKey, false, body) });
      });
    });
  }
}
