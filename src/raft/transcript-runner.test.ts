import { assert } from '../base/assert.ts';
import { ErrorCode, errorName } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { METADATA_TOPIC_ID, ZERO_UUID } from '../base/uuid.ts';
import { METADATA_TOPIC_NAME } from './checks.ts';
import type {
  AnswerToSend,
  RaftEffect,
  RaftOptions,
  RaftStart,
  RequestToSend,
  ServedApiKey,
} from './raft-api.ts';
import {
  CLUSTER_ID,
  directoryOf,
  endpointsOf,
  optionsOf,
  overTheWire,
  VERSIONS_ANSWER,
  versionOf,
  voterOf,
} from './raft-harness.test.ts';
import { RaftMachine } from './raft-machine.ts';
import { VoterSet } from './voter-set.ts';

/** Values of a command line: `at=5@2` and flags such as `pre`. */
type Words = ReadonlyMap<string, string>;

/**
 * Runs a transcript: lines that begin with `> ` are events, `#` comments and empty lines stay, all others are what the machine answered and are replaced. Returns the
 * text as it should be.
 *
 *     > start voters=1,2,3 node=1 kraft=1 epoch=2 leader=3 voted=3 log=0@1,4@2..9 snapshot=4@1
 *     > tick 2000 | persisted | flushed | append 2 | resign | shutdown | failed #3 UNSUPPORTED_VERSION | frozen 10@2 voters=1,2,3
 *     > vote from=2 epoch=3 last=9@2 pre | begin from=2 epoch=3 | end from=2 epoch=3 successors=1,3 | fetch from=2 epoch=3 at=9@2 hw=4 wait=500
 *     > add 4 | remove 2 | update 2 | snapshot from=2 epoch=3 id=4@1 position=0 | describe
 *     > granted #1 epoch=3 | rejected #1 epoch=3 leader=2 | done #1 … | fetched #1 epoch=3 leader=2 records=9@3..11 hw=9 diverging=4@1 snapshot=9@2 error=…
 */
export function runTranscript(text: string): string {
  const out: string[] = [];
  const run = new Run();
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('> ')) {
      out.push(line);
      for (const effect of run.event(line.slice(2))) out.push(`  ${effect}`);
      out.push(`  = ${run.summary()}`);
    } else if (!line.startsWith('  ')) out.push(line);
  }
  return `${out.join('\n')}\n`;
}

class Run {
  #machine: RaftMachine | null = null;
  #options: RaftOptions | null = null;
  #nowMs = 0;
  #requestId = 0;
  #tickets: { readonly type: string; readonly ticket: number }[] = [];

  event(line: string): string[] {
    const [command = '', ...rest] = line.split(' ');
    const words = new Map(rest.map((word) => splitWord(word)));
    if (command === 'start') this.#start(words);
    else this.#do(command, rest, words);
    const machine = this.#machine as RaftMachine;
    const effects = machine.takeEffects();
    machine.checkInvariants();
    return effects.map((effect) => this.#show(effect));
  }

  summary(): string {
    const machine = this.#machine as RaftMachine;
    if (machine.failure !== null) return 'stopped';
    const { role, epoch, leaderId, logStartOffset, logEndOffset, highWatermark } = machine;
    const deadline = machine.nextDeadlineMs - this.#nowMs;
    const log = `${logStartOffset}..${logEndOffset}`;
    return `${role} epoch=${epoch} leader=${leaderId} log=${log} hw=${highWatermark} next=${deadline === Infinity ? '-' : deadline}`;
  }

  #start(words: Words): void {
    this.#tickets = [];
    const voters = ids(words.get('voters')).map((id) => voterOf(id));
    const isDynamic = words.get('kraft') === '1';
    const nodeId = Number(words.get('node') ?? 1);
    const configured = isDynamic ? [] : voters.map((voter) => ({ ...voter, voterDirectoryId: ZERO_UUID }));
    this.#options = optionsOf(nodeId, new Random(1), {
      configured,
      over: {
        autoJoin: words.has('autojoin'),
        bootstrapServers: ids(words.get('bootstrap')).flatMap((id) => endpointsOf(id)),
      },
    });
    const snapshotId = words.has('snapshot') ? parsePair(words.get('snapshot')) : isDynamic ? [0, 0] : null;
    const facts = { kraftVersion: isDynamic ? 1 : 0, voters: isDynamic ? new VoterSet(voters) : null };
    const id = snapshotId && { endOffset: snapshotId[0] as number, epoch: snapshotId[1] as number };
    const { epochs, endOffset } = parseLog(words.get('log'));
    const startOffset = id?.endOffset ?? 0;
    const votedId = Number(words.get('voted') ?? -1);
    const start: RaftStart = {
      election: {
        epoch: Number(words.get('epoch') ?? 0),
        leaderId: Number(words.get('leader') ?? -1),
        votedId,
        votedDirectoryId: votedId < 0 ? ZERO_UUID : directoryOf(votedId),
        kraftVersion: facts.kraftVersion,
        voterIds: [],
      },
      log: {
        startOffset,
        endOffset: Math.max(endOffset, startOffset),
        epochs,
        snapshots: id === null ? [] : [{ id, sizeBytes: 20 }],
      },
      snapshot: id && { id, facts },
      controlRecords: [],
    };
    this.#machine = new RaftMachine(this.#options, start, this.#nowMs);
  }

  #do(command: string, rest: readonly string[], words: Words): void {
    const machine = this.#machine as RaftMachine;
    const now = this.#nowMs;
    const [first = ''] = rest;
    const correlationId = Number(first.slice(1));
    switch (command) {
      case 'tick':
        this.#nowMs += Number(first);
        return machine.tick(this.#nowMs);
      case 'persisted':
        return machine.electionPersisted(this.#ticket('persist-election', first), now);
      case 'flushed':
        return machine.flushed(this.#ticket('flush', first), now);
      case 'append':
        return void machine.append(Number(first), now);
      case 'resign':
        return machine.resign(machine.epoch, now);
      case 'shutdown':
        return machine.shutdown(now);
      case 'upgrade':
        return void machine.upgradeKraftVersion(Number(first), false, now);
      case 'write-failed':
        return machine.writeFailed(Number(first), now);
      case 'snapshot-written': {
        const [endOffset, epoch] = parsePair(first);
        return machine.snapshotWritten({ id: { endOffset, epoch }, sizeBytes: 20 }, now);
      }
      case 'log-start':
        return machine.logStartMoved(Number(first), now);
      case 'failed':
        return machine.failed(
          correlationId,
          ErrorCode[(rest[1] ?? 'NETWORK_EXCEPTION') as keyof typeof ErrorCode],
          now,
        );
      case 'frozen': {
        const [endOffset, epoch] = parsePair(first);
        const voters = new VoterSet(ids(words.get('voters')).map((id) => voterOf(id)));
        return machine.snapshotFrozen(
          { fact: { id: { endOffset, epoch }, sizeBytes: 20 }, facts: { kraftVersion: 1, voters } },
          now,
        );
      }
      case 'versions':
        return machine.response(correlationId, VERSIONS_ANSWER, [], now);
      case 'granted':
      case 'rejected':
      case 'done':
      case 'piece':
      case 'fetched':
        return this.#respond(command, correlationId, words);
      default:
        return this.#request(command, first, words);
    }
  }

  /** The ticket of the newest effect of a type, or of the one said to be that many before it. */
  #ticket(type: string, back: string): number {
    const found = this.#tickets.filter((one) => one.type === type).at(-1 - Number(back || 0));
    assert(found !== undefined, `there was no ${type}`);
    return found.ticket;
  }

  #request(command: string, first: string, words: Words): void {
    const machine = this.#machine as RaftMachine;
    const options = this.#options as RaftOptions;
    const [apiKey, body] = requestOf(command, first, words, options.nodeId);
    const requestId = ++this.#requestId;
    const decoded = overTheWire(apiKey, true, body);
    machine.request({ requestId, apiKey, apiVersion: versionOf(apiKey), body: decoded }, this.#nowMs);
  }

  #respond(command: string, correlationId: number, words: Words): void {
    const machine = this.#machine as RaftMachine;
    const [apiKey, body, batches] = responseOf(command, words);
    machine.response(correlationId, overTheWire(apiKey, false, body), batches, this.#nowMs);
  }

  #show(effect: RaftEffect): string {
    if ('ticket' in effect) this.#tickets.push(effect);
    switch (effect.type) {
      case 'persist-election': {
        const { epoch, leaderId, votedId } = effect.state;
        return `persist-election epoch=${epoch} leader=${leaderId} voted=${votedId}`;
      }
      case 'send':
        return showSend(effect);
      case 'answer':
        return showAnswer(effect);
      case 'append-control': {
        const records = effect.records.map((record) =>
          record.type === 'KRAFT_VOTERS'
            ? `KRAFT_VOTERS(${record.voters.map(({ voterId }) => voterId).join(',')})`
            : record.type,
        );
        return `append-control at ${effect.baseOffset} epoch=${effect.epoch} ${records.join(' ')}`;
      }
      case 'append-fetched':
        return `append-fetched ${effect.baseOffset}..${effect.endOffset} of #${effect.correlationId}`;
      case 'flush':
        return `flush to ${effect.endOffset}`;
      case 'truncate':
        return `truncate to ${effect.endOffset}`;
      case 'write-snapshot':
        return `write-snapshot ${effect.id.endOffset}@${effect.id.epoch} at ${effect.position}`;
      case 'begin-snapshot':
      case 'freeze-snapshot':
      case 'discard-snapshot':
      case 'install-snapshot':
        return `${effect.type} ${effect.id.endOffset}@${effect.id.epoch}`;
      case 'high-watermark':
        return `high-watermark ${effect.offset}`;
      case 'leader':
        return `leader ${effect.leaderId} epoch=${effect.epoch}`;
      case 'lead':
        return `lead epoch=${effect.epoch} from ${effect.epochStartOffset}`;
      case 'stop-leading':
        return `stop-leading epoch=${effect.epoch}`;
      default:
        return `${effect.type}: ${effect.message}`;
    }
  }
}

function showSend(effect: RequestToSend): string {
  const { destination, correlationId, apiKey } = effect;
  const to = destination.kind === 'node' ? `to ${destination.id}` : `to bootstrap ${destination.host}`;
  const head = (name: string): string => `send #${correlationId} ${name} ${to}`;
  switch (apiKey) {
    case 1: {
      const one = effect.body.topics[0]?.partitions[0];
      return `${head('Fetch')} epoch=${one?.currentLeaderEpoch} at=${one?.fetchOffset}@${one?.lastFetchedEpoch} hw=${one?.highWatermark}`;
    }
    case 18:
      return head('ApiVersions');
    case 52: {
      const one = effect.body.topics[0]?.partitions[0];
      const name = one?.preVote === true ? 'PreVote' : 'Vote';
      return `${head(name)} epoch=${one?.replicaEpoch} last=${one?.lastOffset}@${one?.lastOffsetEpoch}`;
    }
    case 53:
      return `${head('BeginQuorumEpoch')} epoch=${effect.body.topics[0]?.partitions[0]?.leaderEpoch}`;
    case 54: {
      const one = effect.body.topics[0]?.partitions[0];
      const successors = one?.preferredCandidates?.map(({ candidateId }) => candidateId).join(',') ?? '';
      return `${head('EndQuorumEpoch')} epoch=${one?.leaderEpoch} successors=${successors}`;
    }
    case 59: {
      const one = effect.body.topics[0]?.partitions[0];
      return `${head('FetchSnapshot')} id=${one?.snapshotId.endOffset}@${one?.snapshotId.epoch} position=${one?.position}`;
    }
    case 80:
      return `${head('AddRaftVoter')} voter=${effect.body.voterId}`;
    case 81:
      return `${head('RemoveRaftVoter')} voter=${effect.body.voterId}`;
    case 82:
      return `${head('UpdateRaftVoter')} voter=${effect.body.voterId}`;
  }
}

function showAnswer(effect: AnswerToSend): string {
  const words = [`answer request ${effect.requestId}:`];
  const { body } = effect;
  if (effect.apiKey < 80 && 'errorCode' in body && body.errorCode !== undefined && body.errorCode !== 0)
    words.push(errorName(body.errorCode));
  if (effect.apiKey >= 80) words.push(`error=${errorName((body as { errorCode: number }).errorCode)}`);
  if (effect.apiKey === 1) {
    const one = effect.body.responses[0]?.partitions[0];
    if (one !== undefined) {
      words.push(
        showLeader(one.errorCode, one.currentLeader?.leaderId ?? -1, one.currentLeader?.leaderEpoch ?? -1),
      );
      words.push(`hw=${one.highWatermark}`);
      if (one.divergingEpoch !== undefined) {
        words.push(`diverging=${one.divergingEpoch.endOffset}@${one.divergingEpoch.epoch}`);
      }
      if (one.snapshotId !== undefined)
        words.push(`snapshot=${one.snapshotId.endOffset}@${one.snapshotId.epoch}`);
    }
    if (effect.records !== null)
      words.push(`records=${effect.records.fromOffset}..${effect.records.endOffset}`);
  } else if (effect.apiKey === 52) {
    const one = effect.body.topics[0]?.partitions[0];
    if (one !== undefined) {
      words.push(
        one.voteGranted ? 'granted' : 'rejected',
        showLeader(one.errorCode, one.leaderId, one.leaderEpoch),
      );
    }
  } else if (effect.apiKey === 53 || effect.apiKey === 54) {
    const one = effect.body.topics[0]?.partitions[0];
    if (one !== undefined) words.push(showLeader(one.errorCode, one.leaderId, one.leaderEpoch));
  } else if (effect.apiKey === 59) {
    const one = effect.body.topics[0]?.partitions[0];
    if (one !== undefined) {
      words.push(`error=${errorName(one.errorCode)} size=${one.size} position=${one.position}`);
    }
    if (effect.snapshot !== null) words.push(`bytes=${effect.snapshot.maxBytes}`);
  } else if (effect.apiKey === 55) {
    const one = effect.body.topics[0]?.partitions[0];
    const show = (all: readonly { replicaId: number; logEndOffset: number }[] | undefined): string =>
      (all ?? []).map(({ replicaId, logEndOffset }) => `${replicaId}:${logEndOffset}`).join(',');
    if (one !== undefined) {
      words.push(showLeader(one.errorCode, one.leaderId, one.leaderEpoch), `hw=${one.highWatermark}`);
      words.push(`voters=${show(one.currentVoters)} observers=${show(one.observers)}`);
    }
  }
  return words.join(' ');
}

function showLeader(errorCode: number, leaderId: number, epoch: number): string {
  const error = errorCode === 0 ? '' : `error=${errorName(errorCode)} `;
  return `${error}leader=${leaderId} epoch=${epoch}`;
}

function requestOf(command: string, first: string, words: Words, nodeId: number): [ServedApiKey, object] {
  const from = Number(words.get('from') ?? -1);
  const epoch = Number(words.get('epoch') ?? 0);
  const clusterId = words.get('cluster') ?? CLUSTER_ID;
  const topicName = words.get('topic') ?? METADATA_TOPIC_NAME;
  const voter = Number(words.get('to') ?? nodeId);
  const disk = Number(words.get('disk') ?? 0);
  const topics = (partition: object): object[] => [
    { topicName, partitions: [{ partitionIndex: 0, ...partition }] },
  ];
  const [at, atEpoch] = parsePair(words.get('at') ?? words.get('last') ?? words.get('id') ?? '0@0');
  switch (command) {
    case 'vote': {
      const partition = {
        replicaEpoch: epoch,
        replicaId: from,
        replicaDirectoryId: directoryOf(from, Number(words.get('fromdisk') ?? 0)),
        voterDirectoryId: directoryOf(voter, disk),
        lastOffsetEpoch: atEpoch,
        lastOffset: at,
        preVote: words.has('pre'),
      };
      return [52, { clusterId, voterId: voter, topics: topics(partition) }];
    }
    case 'begin': {
      const partition = { voterDirectoryId: directoryOf(voter, disk), leaderId: from, leaderEpoch: epoch };
      return [
        53,
        { clusterId, voterId: voter, topics: topics(partition), leaderEndpoints: endpointsOf(from) },
      ];
    }
    case 'end': {
      const preferredCandidates = ids(words.get('successors')).map((id) => ({
        candidateId: id,
        candidateDirectoryId: directoryOf(id),
      }));
      const partition = { leaderId: from, leaderEpoch: epoch, preferredCandidates };
      return [54, { clusterId, topics: topics(partition), leaderEndpoints: endpointsOf(from) }];
    }
    case 'fetch':
      return fetchOf(words, { clusterId, from, epoch });
    case 'snapshot': {
      const partition = {
        partition: 0,
        currentLeaderEpoch: epoch,
        snapshotId: { endOffset: at, epoch: atEpoch },
        position: Number(words.get('position') ?? 0),
        replicaDirectoryId: directoryOf(from),
      };
      return [59, { clusterId, replicaId: from, topics: [{ name: topicName, partitions: [partition] }] }];
    }
    case 'describe':
      return [55, { topics: topics({}) }];
    default:
      return voterRequestOf(command, Number(first), { clusterId, epoch, disk });
  }
}

function fetchOf(
  words: Words,
  given: { readonly clusterId: string; readonly from: number; readonly epoch: number },
): [ServedApiKey, object] {
  const { clusterId, from, epoch } = given;
  const [fetchOffset, lastFetchedEpoch] = parsePair(words.get('at'));
  const partition = {
    partition: 0,
    currentLeaderEpoch: epoch,
    fetchOffset,
    lastFetchedEpoch,
    partitionMaxBytes: 1000,
    replicaDirectoryId: directoryOf(from, Number(words.get('fromdisk') ?? 0)),
    highWatermark: Number(words.get('hw') ?? -1),
  };
  const body = {
    clusterId,
    replicaState: { replicaId: from, replicaEpoch: -1 },
    maxWaitMs: Number(words.get('wait') ?? 500),
    minBytes: 0,
    topics: [{ topicId: METADATA_TOPIC_ID, partitions: [partition] }],
    forgottenTopicsData: [],
  };
  return [1, body];
}

function voterRequestOf(
  command: string,
  voterId: number,
  given: { readonly clusterId: string; readonly epoch: number; readonly disk: number },
): [ServedApiKey, object] {
  const { clusterId } = given;
  const voterDirectoryId = directoryOf(voterId, given.disk);
  const listeners = endpointsOf(voterId);
  switch (command) {
    case 'add':
      return [80, { clusterId, timeoutMs: 1000, voterId, voterDirectoryId, listeners }];
    case 'remove':
      return [81, { clusterId, voterId, voterDirectoryId }];
    case 'update': {
      const kRaftVersionFeature = { minSupportedVersion: 0, maxSupportedVersion: 1 };
      const currentLeaderEpoch = given.epoch;
      return [
        82,
        { clusterId, currentLeaderEpoch, voterId, voterDirectoryId, listeners, kRaftVersionFeature },
      ];
    }
    default:
      throw new Error(`no such event: ${command}`);
  }
}

type Batches = Parameters<RaftMachine['response']>[2];

function responseOf(command: string, words: Words): [ServedApiKey, object, Batches] {
  const leaderId = Number(words.get('leader') ?? -1);
  const leaderEpoch = Number(words.get('epoch') ?? 0);
  const error = words.get('error') ?? 'NONE';
  const errorCode = ErrorCode[error as keyof typeof ErrorCode];
  const common = { partitionIndex: 0, errorCode, leaderId, leaderEpoch };
  const nodes =
    leaderId < 0 ? [] : endpointsOf(leaderId).map(({ host, port }) => ({ nodeId: leaderId, host, port }));
  const topics = (partition: object): object[] => [
    { topicName: METADATA_TOPIC_NAME, partitions: [partition] },
  ];
  const pair = (name: string): { endOffset: number; epoch: number } | undefined => {
    if (!words.has(name)) return undefined;
    const [endOffset, epoch] = parsePair(words.get(name));
    return { endOffset, epoch };
  };
  switch (command) {
    case 'granted':
    case 'rejected': {
      const partition = { ...common, voteGranted: command === 'granted' };
      return [52, { errorCode: 0, topics: topics(partition), nodeEndpoints: nodes }, []];
    }
    case 'done':
      return [53, { errorCode: 0, topics: topics(common), nodeEndpoints: nodes }, []];
    case 'piece': {
      const snapshotId = pair('id') ?? { endOffset: 0, epoch: 0 };
      const partition = {
        index: 0,
        errorCode,
        snapshotId,
        currentLeader: { leaderId, leaderEpoch },
        size: Number(words.get('size') ?? 0),
        position: Number(words.get('position') ?? 0),
        unalignedRecords: Buffer.alloc(Number(words.get('bytes') ?? 0)),
      };
      const body = { errorCode: 0, topics: [{ name: METADATA_TOPIC_NAME, partitions: [partition] }] };
      return [59, { ...body, nodeEndpoints: nodes }, []];
    }
    default: {
      const diverging = pair('diverging');
      const snapshotId = pair('snapshot');
      const partition = {
        partitionIndex: 0,
        errorCode,
        highWatermark: Number(words.get('hw') ?? -1),
        currentLeader: { leaderId, leaderEpoch },
        ...(diverging !== undefined && { divergingEpoch: diverging }),
        ...(snapshotId !== undefined && { snapshotId }),
        abortedTransactions: null,
        records: null,
      };
      const responses = [{ topicId: METADATA_TOPIC_ID, partitions: [partition] }];
      const nodeEndpoints = nodes.map((node) => ({ ...node, rack: null }));
      return [1, { errorCode: 0, responses, nodeEndpoints }, parseBatches(words.get('records'))];
    }
  }
}

/** `9@3..11,11@4..12`: batches with their base offset, epoch and end. */
function parseBatches(text: string | undefined): Batches {
  return (text?.split(',') ?? []).map((batch) => {
    const [pair, end] = batch.split('..');
    const [baseOffset, epoch] = parsePair(pair);
    return { baseOffset, endOffset: Number(end), epoch, controlRecords: [] };
  });
}

/** `0@1,4@2..9`: where epochs begin, and the end. */
function parseLog(text: string | undefined): {
  epochs: { epoch: number; startOffset: number }[];
  endOffset: number;
} {
  if (text === undefined) return { epochs: [], endOffset: 0 };
  const [starts = '', end] = text.split('..');
  const epochs = starts.split(',').map((one) => {
    const [startOffset, epoch] = parsePair(one);
    return { epoch, startOffset };
  });
  return { epochs, endOffset: Number(end) };
}

function parsePair(text: string | undefined): [number, number] {
  const [offset, epoch] = (text ?? '').split('@').map(Number);
  return [offset ?? 0, epoch ?? 0];
}

function ids(text: string | undefined): number[] {
  return text === undefined || text === '' ? [] : text.split(',').map(Number);
}

function splitWord(word: string): [string, string] {
  const at = word.indexOf('=');
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}
