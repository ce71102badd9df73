import { ErrorCode } from '../base/errors.ts';
import { METADATA_TOPIC_NAME, namedEndpoints, onlyPartition, readCommon, type Reading } from './checks.ts';
import { compareSnapshots } from './log-state.ts';
import type { Quorum } from './quorum.ts';
import type { Destination, FrozenSnapshot, RaftApis } from './raft-api.ts';
import type { SentRequest } from './requests.ts';
import type { FollowerState, SnapshotDownload } from './role-states.ts';
import { send } from './sending.ts';
import { MAX_FETCH_BYTES } from './timeouts.ts';

/** Asks for the next piece of a snapshot (KIP-630). */
export function sendFetchSnapshot(quorum: Quorum, download: SnapshotDownload, leader: Destination): void {
  if (download.isFreezing) return;
  const { options } = quorum;
  send(quorum, leader, {
    apiKey: 59,
    body: {
      clusterId: options.clusterId,
      replicaId: options.nodeId,
      maxBytes: MAX_FETCH_BYTES,
      topics: [
        {
          name: METADATA_TOPIC_NAME,
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: quorum.epoch,
              snapshotId: download.id,
              position: download.position,
              replicaDirectoryId: options.directoryId,
            },
          ],
        },
      ],
    },
  });
}

/** Takes a piece of a snapshot; after the last one the driver freezes it. */
export function readSnapshotAnswer(
  quorum: Quorum,
  sent: SentRequest,
  body: RaftApis[59]['response'],
): Reading {
  if (body.errorCode !== ErrorCode.NONE) return 'failed';
  const partition = onlyPartition(
    body.topics,
    (i) => body.topics[i]?.name ?? '',
    (one) => one.index,
  );
  if (partition === null) return 'failed';
  const { errorCode, currentLeader } = partition;
  const { leaderId, leaderEpoch: epoch } = currentLeader;
  const endpoints = namedEndpoints(quorum, leaderId, body.nodeEndpoints);
  const reading = readCommon(quorum, errorCode, { leaderId, epoch, endpoints });
  if (reading !== 'read') return reading;
  const { role, nowMs } = quorum;
  if (role.name !== 'follower' || role.download === null || role.download.isFreezing) return 'done';
  const { download } = role;
  const { snapshotId, position, size, unalignedRecords } = partition;
  const extend = (): void => {
    role.hasFetched = true;
    role.fetchDeadlineMs = nowMs + quorum.options.timeouts.fetchTimeoutMs;
  };
  if (errorCode === ErrorCode.SNAPSHOT_NOT_FOUND || snapshotId.endOffset < 0 || snapshotId.epoch < 0) {
    abandonDownload(quorum, role);
    extend();
    return 'done';
  }
  if (errorCode !== ErrorCode.NONE) return 'failed';
  const lengthBytes = unalignedRecords?.length ?? 0;
  const isNext =
    compareSnapshots(snapshotId, download.id) === 0 &&
    position === download.position &&
    position + lengthBytes <= size &&
    lengthBytes > 0;
  if (!isNext) {
    quorum.warn(
      `the leader's piece of snapshot ${download.id.endOffset}-${download.id.epoch} does not continue it`,
    );
    abandonDownload(quorum, role);
    return 'failed';
  }
  const { id } = download;
  quorum.emit({ type: 'write-snapshot', id, position, correlationId: sent.correlationId });
  download.position += lengthBytes;
  if (download.position === size) {
    download.isFreezing = true;
    quorum.emit({ type: 'freeze-snapshot', id });
  }
  extend();
  return 'done';
}

/** The driver has frozen a fetched snapshot, or could not use it (null). */
export function snapshotFrozen(quorum: Quorum, frozen: FrozenSnapshot | null): void {
  const { role } = quorum;
  if (role.name !== 'follower' || role.download === null || !role.download.isFreezing) {
    // The role has changed meanwhile: it was told to discard it.
    return;
  }
  const { download } = role;
  if (frozen === null) return abandonDownload(quorum, role);
  if (compareSnapshots(frozen.fact.id, download.id) !== 0) return;
  role.download = null;
  if (!quorum.log.isBehind(download.id)) {
    quorum.emit({ type: 'discard-snapshot', id: download.id });
    return;
  }
  if (download.id.endOffset < quorum.highWatermark) {
    return quorum.fail(
      `the leader ${quorum.leaderId} of epoch ${quorum.epoch} gave a snapshot that ends at ${download.id.endOffset}, below the high watermark ${quorum.highWatermark} of this node: committed records were lost`,
    );
  }
  quorum.log.install(frozen.fact);
  quorum.history.load(download.id.endOffset, frozen.facts);
  quorum.emit({ type: 'install-snapshot', id: download.id });
  quorum.raiseHighWatermark(download.id.endOffset);
}

function abandonDownload(quorum: Quorum, role: FollowerState): void {
  if (role.download === null) return;
  quorum.emit({ type: 'discard-snapshot', id: role.download.id });
  role.download = null;
}
