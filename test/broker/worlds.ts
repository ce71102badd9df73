import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from '../../sim/virtual/clock.ts';
import { VirtualCompute } from '../../sim/virtual/compute.ts';
import { SSD_LATENCY, VirtualDisk } from '../../sim/virtual/disk.ts';
import { VirtualInternet } from '../../sim/virtual/network.ts';
import { type LogFields, type Logger } from '../../src/base/logger.ts';
import { Random } from '../../src/base/random.ts';
import { Broker, type BrokerPorts } from '../../src/broker/broker.ts';
import { developmentConfig } from '../../src/config/development.ts';
import type { HttpHandler, HttpResponse, HttpServer } from '../../src/io/http.ts';
import { createPorts } from '../../src/io/node/ports.ts';
import { TestClient } from './test-client.ts';

/** A line that a broker logged. */
export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A machine with a disk on which brokers are started, one after the other, and clients beside it. */
export interface TestWorld {
  readonly name: string;
  /** Lines of all brokers so far. */
  readonly lines: readonly LoggedLine[];
  /** Starts a broker on what the disk holds. */
  start(settings?: Readonly<Record<string, string>>): Promise<Broker>;
  /** A connection to the broker's first listener, or to the one of that name. */
  connect(broker: Broker, listenerName?: string): Promise<TestClient>;
  /** Waits for a promise, letting time pass. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Lets time pass. */
  pass(durationMs: number): Promise<void>;
  /** Wall clock of the broker. */
  wallMs(): number;
  /** Milliseconds, for durations. */
  nowMs(): number;
  /** Asks the admin port of the last broker that was started with one. */
  http(broker: Broker, path: string): Promise<HttpResponse>;
  /** Bytes of all segments of a partition, `topic-0`, in order: what is on the disk, or in its cache. */
  segmentBytes(partition: string): Buffer;
  /** Ends the broker as a killed process does; the disk stays. Not in every world. */
  kill?(): void;
  /** Stops what still runs and removes the disk. */
  end(): Promise<void>;
}

/** Runs a test on virtual ports and on this machine's; without `worlds`, not on the portable ones, which differ least. */
export function testInWorlds(
  title: string,
  run: (world: TestWorld) => Promise<void>,
  worlds: readonly WorldName[] = ['virtual', 'addon'],
): void {
  for (const name of worlds) {
    test(`${title} (${name})`, { timeout: 60_000 }, async () => {
      const world = name === 'virtual' ? virtualWorld() : realWorld(name);
      try {
        await run(world);
      } finally {
        await world.end();
      }
    });
  }
}

/** The implementations of the ports. */
export type WorldName = 'virtual' | 'portable' | 'addon';

/** All of them. */
export const ALL_WORLDS: readonly WorldName[] = ['virtual', 'portable', 'addon'];

function collector(lines: LoggedLine[]): Logger {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  return logger;
}

function addressOf(broker: Broker, listenerName?: string) {
  return broker.addresses.find(
    (address) => listenerName === undefined || address.listenerName === listenerName,
  );
}

/** Answers in memory. */
class MemoryHttp implements HttpServer {
  handler: HttpHandler | null = null;

  listen(
    options: { readonly host: string; readonly port: number; readonly handler: HttpHandler },
    done: Parameters<HttpServer['listen']>[1],
  ): void {
    this.handler = options.handler;
    done(null, {
      host: options.host,
      port: options.port,
      close: (closed) => {
        this.handler = null;
        closed();
      },
    });
  }

  get(path: string): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (this.handler === null) reject(new Error('no admin port'));
      else this.handler({ method: 'GET', path }, resolve);
    });
  }
}

const DATA = '/data';

function segmentsAmong(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith('.log')).sort();
}

/** A virtual world also gives its disk, to be made to fail. */
export interface VirtualTestWorld extends TestWorld {
  readonly disk: VirtualDisk;
  kill(): void;
}

function bytesOnDisk(disk: VirtualDisk, directory: string): Buffer {
  const names = disk.list(directory).map(({ name }) => name);
  return Buffer.concat(segmentsAmong(names).map((name) => disk.readFile(`${directory}/${name}`)));
}

/** Virtual time, disk and network. */
export function virtualWorld(seed = 1, latency = SSD_LATENCY): VirtualTestWorld {
  const random = new Random(seed);
  const clock = new VirtualClock();
  const internet = new VirtualInternet({ clock, random: random.fork() });
  const disk = new VirtualDisk({ clock, random: random.fork(), latency });
  const lines: LoggedLine[] = [];
  const clients = internet.host('client');
  const http = new MemoryHttp();
  let hostClock = clock.forHost();
  let broker: Broker | null = null;
  return {
    name: 'virtual',
    lines,
    disk,
    wallMs: () => clock.wallMs(),
    nowMs: () => clock.monotonicMs(),
    wait: (promise) => clock.drive(promise, 120_000),
    async pass(durationMs) {
      const endMs = clock.monotonicMs() + durationMs;
      await clock.driveUntilTrue(() => false, durationMs);
      clock.runUntil(endMs);
    },
    async start(settings = {}) {
      hostClock = clock.forHost();
      const ports: BrokerPorts = {
        clock: hostClock,
        disk,
        network: internet.host('broker'),
        compute: new VirtualCompute(hostClock),
        http,
        random: random.fork(),
      };
      const config = developmentConfig(
        { listeners: 'PLAINTEXT://broker:9092', 'log.dir': DATA, ...settings },
        { hostName: 'broker', workingDirectory: '/' },
      );
      const starting = Broker.start({ config, ports, logger: collector(lines) });
      const started = await clock.drive(starting, 120_000).catch(async (error: unknown) => {
        await clock.drive(new Promise<void>((done) => ports.network.shutdown(done)));
        throw error;
      });
      broker = started;
      const close = started.close.bind(started);
      started.close = async () => {
        await close();
        await new Promise<void>((done) => ports.network.shutdown(done));
        broker = null;
      };
      return started;
    },
    async connect(to, listenerName) {
      const address = addressOf(to, listenerName);
      assert.ok(address);
      const client = new TestClient(clients, { host: 'broker', port: address.port });
      await clock.drive(client.open());
      return client;
    },
    http: (_broker, path) => clock.drive(http.get(path)),
    segmentBytes: (partition) => bytesOnDisk(disk, `${DATA}/${partition}`),
    kill() {
      hostClock.stop();
      internet.find('broker')?.crash();
      disk.crash('process');
      broker = null;
    },
    async end() {
      if (broker !== null) await clock.drive(broker.close(), 120_000);
    },
  };
}

/** This machine, a directory of its own, and any free port. */
export function realWorld(prefer: 'portable' | 'addon'): TestWorld {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-test-'));
  const lines: LoggedLine[] = [];
  const clientPorts = createPorts({ prefer: 'portable' });
  const running = new Set<Broker>();
  return {
    name: prefer,
    lines,
    wallMs: () => Date.now(),
    nowMs: () => performance.now(),
    wait: (promise) => promise,
    pass: (durationMs) => sleep(durationMs),
    async start(settings = {}) {
      const ports = createPorts({ prefer, debugPoison: true });
      assert.equal(ports.implementation, prefer, `the ${prefer} ports are there`);
      const config = developmentConfig(
        { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dir': join(directory, 'data'), ...settings },
        { hostName: 'localhost', workingDirectory: directory },
      );
      const random = new Random(Date.now() | 0);
      const starting = Broker.start({ config, ports: { ...ports, random }, logger: collector(lines) });
      const broker = await starting.catch(async (error: unknown) => {
        await new Promise<void>((done) => ports.network.shutdown(done));
        throw error;
      });
      running.add(broker);
      const close = broker.close.bind(broker);
      broker.close = async () => {
        running.delete(broker);
        await close();
        await new Promise<void>((done) => ports.network.shutdown(done));
        await new Promise<void>((done) => ports.disk.close(done));
      };
      return broker;
    },
    async connect(to, listenerName) {
      const address = addressOf(to, listenerName);
      assert.ok(address);
      const client = new TestClient(clientPorts.network, { host: '127.0.0.1', port: address.port });
      await client.open();
      return client;
    },
    async http(broker, path) {
      const { adminAddress } = broker;
      assert.ok(adminAddress);
      const response = await fetch(`http://127.0.0.1:${adminAddress.port}${path}`);
      return {
        status: response.status,
        contentType: response.headers.get('content-type') ?? '',
        body: await response.text(),
      };
    },
    segmentBytes(partition) {
      const path = join(directory, 'data', partition);
      return Buffer.concat(segmentsAmong(readdirSync(path)).map((name) => readFileSync(join(path, name))));
    },
    async end() {
      for (const broker of running) await broker.close();
      await new Promise<void>((done) => clientPorts.network.shutdown(done));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
