/** Commits of the metadata log: one voter on this machine's disk, and three whose disks, network and clock are simulated. */
import { performance } from 'node:perf_hooks';
import { nullLogger } from '../../src/base/logger.ts';
import { ANYONE, QuorumOfDrivers } from '../../src/broker/raft-quorum-harness.test.ts';
import { RaftDriver } from '../../src/broker/raft-driver.ts';
import { developmentConfig } from '../../src/config/development.ts';
import type { ControllerApis } from '../../src/controller/controller-request.ts';
import { createPorts } from '../../src/io/node/ports.ts';
import { openLogDirectories } from '../../src/log/open-directories.ts';
import { median, type Row, withDirectory } from '../harness.ts';

const ONE_BY_ONE = 300;
const TOGETHER = 5_000;
/** Requests under way at a time. */
const WINDOW = 64;

/** Rows: latency of requests one by one, and commits per second with many under way. */
export async function quorumRows(): Promise<Row[]> {
  return [...(await singleVoterRows()), ...simulatedRows()];
}

/** A request that commits one record. */
function change(number: number): ControllerApis[44]['request'] {
  const configs = [{ name: 'log.retention.ms', configOperation: 0, value: String(1_000_000 + number) }];
  return { resources: [{ resourceType: 4, resourceName: '', configs }], validateOnly: false };
}

async function singleVoterRows(): Promise<Row[]> {
  return await withDirectory(async (path) => {
    const { clock, disk, compute, random } = createPorts();
    const environment = { clock, disk, compute, random, logger: nullLogger };
    const config = developmentConfig({ 'log.dirs': path }, { hostName: 'localhost', workingDirectory: path });
    const driver = await new Promise<RaftDriver>((resolve, reject) => {
      const identity = { nodeId: config.nodeId, clusterId: null, formatBlank: true };
      openLogDirectories(environment, { paths: [path], ...identity }, (error, [directory]) => {
        if (directory === undefined) return reject(error ?? new Error('no directory'));
        return RaftDriver.open({ environment, config, directory }, (problem, opened) =>
          opened === null ? reject(problem) : resolve(opened),
        );
      });
    });
    const commit = (number: number): Promise<void> =>
      new Promise((resolve, reject) => {
        driver.forward(44, 1, change(number), ANYONE, (errorCode) =>
          errorCode === 0 ? resolve() : reject(new Error(`error ${errorCode}`)),
        );
      });
    const latencies: number[] = [];
    for (let i = 0; i < ONE_BY_ONE; i++) {
      const started = performance.now();
      await commit(i);
      latencies.push(performance.now() - started);
    }
    const started = performance.now();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < TOGETHER) await commit(next++);
    };
    await Promise.all(Array.from({ length: WINDOW }, work));
    const perSecond = TOGETHER / ((performance.now() - started) / 1000);
    await new Promise<void>((resolve) => driver.close(resolve));
    await new Promise<void>((resolve) => disk.close(resolve));
    return [
      row('one voter, one request after the other', `${median(latencies).toFixed(2)} ms each`),
      row(`one voter, ${WINDOW} requests under way`, `${perSecond.toFixed(0)} commits/s`),
    ];
  });
}

function simulatedRows(): Row[] {
  const quorum = new QuorumOfDrivers(1, 3);
  quorum.join();
  const { clock } = quorum;
  const latencies: number[] = [];
  for (let i = 0; i < ONE_BY_ONE; i++) {
    const started = clock.monotonicMs();
    quorum.call(44, 1, change(i));
    latencies.push(clock.monotonicMs() - started);
  }
  const startedMs = clock.monotonicMs();
  const cpu = process.cpuUsage();
  let done = 0;
  let next = 0;
  const give = (): void => {
    if (next === TOGETHER) return;
    quorum.leader?.forward(44, 1, change(next++), ANYONE, (errorCode) => {
      if (errorCode !== 0) throw new Error(`error ${errorCode}`);
      done++;
      give();
    });
  };
  for (let i = 0; i < WINDOW; i++) give();
  if (!clock.runUntilTrue(() => done === TOGETHER, 600_000)) throw new Error('the quorum stands still');
  const virtualSeconds = (clock.monotonicMs() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const each = (user + system) / TOGETHER;
  return [
    row(
      'three simulated voters, one request after the other',
      `${median(latencies).toFixed(1)} virtual ms each`,
    ),
    row(
      `three simulated voters, ${WINDOW} requests under way`,
      `${(TOGETHER / virtualSeconds).toFixed(0)} commits per virtual second`,
      `${each.toFixed(0)} µs CPU a commit, all three nodes`,
    ),
  ];
}

function row(what: string, measured: string, beside = ''): Row {
  return { what, measured, beside, ratio: '' };
}
