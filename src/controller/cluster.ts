import { ErrorCode } from '../base/errors.ts';
import type { Uuid } from '../base/uuid.ts';
import {
  type BrokerRegistration,
  type SupportedFeature,
  brokerToRecord,
} from '../metadata/broker-registration.ts';
import { isReservedDirectory } from '../metadata/directory-id.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import {
  METADATA_VERSION_FEATURE,
  MINIMUM_METADATA_VERSION,
  hasDirectoryAssignment,
} from '../metadata/metadata-version.ts';
import {
  fenceBroker,
  loseDirectories,
  removeBroker,
  replaceIncarnation,
  shutDownBroker,
  unfenceBroker,
} from './broker-changes.ts';
import type { ControllerContext } from './controller-context.ts';
import type { ControllerApis, ControllerResult } from './controller-request.ts';

type Registration = ControllerApis[62]['request'];

/**
 * BrokerRegistration (formats §27): a new incarnation gets the offset of its record as broker epoch and begins fenced; the same incarnation
 * keeps what it has. Another incarnation is refused while the former one has a session; a fenced one has none.
 */
export function registerBroker(
  context: ControllerContext,
  request: Registration,
  apiVersion: number,
  nowMs: number,
): ControllerResult<ControllerApis[62]['response']> {
  const errorCode = registrationError(context, request, nowMs);
  if (errorCode !== ErrorCode.NONE) {
    return { records: [], response: { throttleTimeMs: 0, errorCode, brokerEpoch: -1 } };
  }
  const { image, nextOffset } = context.state;
  const existing = image.cluster.broker(request.brokerId);
  const isSame = existing?.incarnationId === request.incarnationId;
  const broker: BrokerRegistration = {
    id: request.brokerId,
    incarnationId: request.incarnationId,
    epoch: isSame ? existing.epoch : nextOffset,
    endpoints: request.listeners,
    features: registeredFeatures(request.features),
    rack: request.rack,
    fenced: isSame ? existing.fenced : true,
    inControlledShutdown: isSame ? existing.inControlledShutdown : false,
    isMigratingZkBroker: false,
    logDirs: request.logDirs,
  };
  const records: MetadataRecord[] = [brokerToRecord(broker, image.features.metadataVersion)];
  if (!isSame) {
    // Before v3 a broker could not say how it had stopped: it is believed.
    const wasClean = apiVersion < 3 || existing?.epoch === request.previousBrokerEpoch;
    records.push(...replaceIncarnation(context, request.brokerId, wasClean));
  }
  return {
    records,
    response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, brokerEpoch: broker.epoch },
  };
}

/** BrokerHeartbeat: the state machine of formats §27. */
export function heartbeat(
  context: ControllerContext,
  request: ControllerApis[63]['request'],
  nowMs: number,
): ControllerResult<ControllerApis[63]['response']> {
  const broker = context.state.image.cluster.broker(request.brokerId);
  if (broker === undefined || broker.epoch !== request.brokerEpoch) {
    return {
      records: [],
      response: {
        throttleTimeMs: 0,
        errorCode: ErrorCode.STALE_BROKER_EPOCH,
        isCaughtUp: false,
        isFenced: true,
        shouldShutDown: false,
      },
    };
  }
  const records = loseDirectories(context, broker, request.offlineLogDirs);
  const current = stateOf(broker);
  // Lost directories first: what the broker may lead is told from the state after them, at its next heartbeat.
  const next = records.length > 0 ? current : nextState(context, broker, request);
  if (next !== current) records.push(...transition(context, broker, next));
  context.heartbeats.touch(broker.id, broker.epoch, request.currentMetadataOffset, nowMs);
  if (next === 'controlled-shutdown' && current !== next) {
    const offset = context.state.nextOffset + records.length - 1;
    context.heartbeats.setControlledShutdownOffset(broker.id, broker.epoch, offset);
  }
  return {
    records,
    response: {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      isCaughtUp: request.currentMetadataOffset >= broker.epoch,
      isFenced: next === 'fenced' || next === 'shutdown-now',
      shouldShutDown: next === 'shutdown-now',
    },
  };
}

/** Fences the brokers whose session has ended. */
export function fenceStaleBrokers(context: ControllerContext, nowMs: number): MetadataRecord[] {
  const { cluster } = context.state.image;
  // One broker a call: its records change whom the next one's partitions can go to.
  const [stale] = context.heartbeats.staleBrokers(context.state.image, nowMs);
  const broker = stale === undefined ? undefined : cluster.broker(stale);
  return broker === undefined ? [] : fenceBroker(context, broker);
}

/** UnregisterBroker. */
export function unregisterBroker(
  context: ControllerContext,
  request: ControllerApis[64]['request'],
): ControllerResult<ControllerApis[64]['response']> {
  const broker = context.state.image.cluster.broker(request.brokerId);
  if (broker === undefined) {
    return {
      records: [],
      response: {
        throttleTimeMs: 0,
        errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED,
        errorMessage: `Broker ID ${request.brokerId} is not currently registered`,
      },
    };
  }
  return {
    records: removeBroker(context, broker),
    response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null },
  };
}

/** State of a registered broker, formats §27. `shutdown-now` is the answer that lets it go; it is fenced then. */
type BrokerState = 'fenced' | 'unfenced' | 'controlled-shutdown' | 'shutdown-now';

function stateOf(broker: BrokerRegistration): BrokerState {
  if (broker.fenced) return 'fenced';
  return broker.inControlledShutdown ? 'controlled-shutdown' : 'unfenced';
}

function nextState(
  context: ControllerContext,
  broker: BrokerRegistration,
  request: ControllerApis[63]['request'],
): BrokerState {
  const { index, image } = context.state;
  switch (stateOf(broker)) {
    case 'fenced':
      if (request.wantShutDown) return 'shutdown-now';
      return !request.wantFence && request.currentMetadataOffset >= broker.epoch ? 'unfenced' : 'fenced';
    case 'unfenced':
      if (request.wantShutDown) {
        return !request.wantFence && index.leadsAny(broker.id) ? 'controlled-shutdown' : 'shutdown-now';
      }
      return request.wantFence ? 'fenced' : 'unfenced';
    default: {
      if (index.leadsAny(broker.id)) return 'controlled-shutdown';
      const movedAt = context.heartbeats.controlledShutdownOffset(broker.id, broker.epoch);
      return movedAt <= context.heartbeats.lowestActiveOffset(image) ? 'shutdown-now' : 'controlled-shutdown';
    }
  }
}

function transition(
  context: ControllerContext,
  broker: BrokerRegistration,
  next: BrokerState,
): MetadataRecord[] {
  switch (next) {
    case 'unfenced':
      return unfenceBroker(context, broker);
    case 'controlled-shutdown':
      return shutDownBroker(context, broker);
    default:
      return broker.fenced ? [] : fenceBroker(context, broker);
  }
}

function registrationError(context: ControllerContext, request: Registration, nowMs: number): ErrorCode {
  const { image } = context.state;
  if (request.clusterId !== context.clusterId) return ErrorCode.INCONSISTENT_CLUSTER_ID;
  if (request.brokerId < 0) return ErrorCode.INVALID_REQUEST;
  if (request.isMigratingZkBroker) return ErrorCode.BROKER_ID_NOT_REGISTERED;
  if (
    hasDirectoryAssignment(image.features.metadataVersion) &&
    !areGoodDirectories(context, request.brokerId, request.logDirs)
  ) {
    return ErrorCode.INVALID_REGISTRATION;
  }
  const existing = image.cluster.broker(request.brokerId);
  if (
    existing !== undefined &&
    !existing.fenced &&
    existing.incarnationId !== request.incarnationId &&
    context.heartbeats.hasValidSession(existing.id, existing.epoch, nowMs)
  ) {
    return ErrorCode.DUPLICATE_BROKER_REGISTRATION;
  }
  const features = registeredFeatures(request.features);
  for (const [name, level] of image.features.levels) {
    const feature = features.find((supported) => supported.name === name);
    const [min, max] =
      feature === undefined ? [0, 0] : [feature.minSupportedVersion, feature.maxSupportedVersion];
    if (level < min || level > max) return ErrorCode.UNSUPPORTED_VERSION;
  }
  return ErrorCode.NONE;
}

/** A broker that names no `metadata.version` is taken to know only the oldest. */
function registeredFeatures(features: readonly SupportedFeature[]): readonly SupportedFeature[] {
  if (features.some((feature) => feature.name === METADATA_VERSION_FEATURE)) return features;
  return [
    ...features,
    {
      name: METADATA_VERSION_FEATURE,
      minSupportedVersion: MINIMUM_METADATA_VERSION,
      maxSupportedVersion: MINIMUM_METADATA_VERSION,
    },
  ];
}

function areGoodDirectories(context: ControllerContext, brokerId: number, ids: readonly Uuid[]): boolean {
  if (ids.length === 0 || new Set(ids).size !== ids.length || ids.some(isReservedDirectory)) return false;
  for (const other of context.state.image.cluster.brokers.values()) {
    if (other.id !== brokerId && ids.some((id) => other.logDirs.includes(id))) return false;
  }
  return true;
}
