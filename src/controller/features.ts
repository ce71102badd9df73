import { ErrorCode } from '../base/errors.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts';
import { METADATA_VERSION_FEATURE } from '../metadata/metadata-version.ts';
import { supportedFeature } from '../metadata/supported-features.ts';
import type { ControllerContext } from './controller-context.ts';
import { type ApiError, type ControllerApis, type ControllerResult, apiError } from './controller-request.ts';

type FeatureUpdate = ControllerApis[57]['request']['featureUpdates'][number];

/** Kinds of update in UpdateFeatures. */
const UPGRADE = 1;
const SAFE_DOWNGRADE = 2;
const UNSAFE_DOWNGRADE = 3;

/**
 * UpdateFeatures (KIP-584): all updates or none. A level must be supported by every registered broker; lowering one must be asked
 * for as such, and `metadata.version` cannot be lowered: records of the higher level are in the log.
 */
export function updateFeatures(
  context: ControllerContext,
  request: ControllerApis[57]['request'],
  apiVersion: number,
): ControllerResult<ControllerApis[57]['response']> {
  const { image } = context.state;
  const records: MetadataRecord[] = [];
  const seen = new Set<string>();
  let refusal: ApiError | null = null;
  for (const update of request.featureUpdates) {
    refusal = seen.has(update.feature)
      ? apiError(ErrorCode.INVALID_REQUEST, `Feature ${update.feature} is named more than once.`)
      : updateProblem(image, update, apiVersion);
    if (refusal !== null) break;
    seen.add(update.feature);
    if (update.maxVersionLevel !== image.features.level(update.feature)) {
      records.push(
        metadataRecord('FeatureLevelRecord', { name: update.feature, featureLevel: update.maxVersionLevel }),
      );
    }
  }
  const { errorCode, errorMessage } = refusal ?? apiError(ErrorCode.NONE);
  const results =
    apiVersion >= 2
      ? []
      : request.featureUpdates.map(({ feature }) => ({ feature, errorCode, errorMessage }));
  return {
    records: refusal !== null || request.validateOnly ? [] : records,
    isAtomic: true,
    response: { throttleTimeMs: 0, errorCode, errorMessage, results },
  };
}

function updateProblem(image: MetadataImage, update: FeatureUpdate, apiVersion: number): ApiError | null {
  const { feature, maxVersionLevel: level } = update;
  const invalid = (why: string) =>
    apiError(
      ErrorCode.INVALID_UPDATE_VERSION,
      `Invalid update version ${level} for feature ${feature}. ${why}`,
    );
  const known = supportedFeature(feature);
  if (known === undefined) return invalid('The controller does not support this feature.');
  if (level < known.minLevel || level > known.maxLevel) {
    return invalid(`The controller only supports versions ${known.minLevel}-${known.maxLevel}`);
  }
  for (const broker of image.cluster.brokers.values()) {
    const supported = broker.features.find(({ name }) => name === feature);
    const [min, max] =
      supported === undefined ? [0, 0] : [supported.minSupportedVersion, supported.maxSupportedVersion];
    if (level < min || level > max)
      return invalid(`Broker ${broker.id} only supports versions ${min}-${max}`);
  }
  if (level > 0 && image.features.metadataVersion < known.neededMetadataVersion) {
    return invalid(`It needs metadata.version ${known.neededMetadataVersion}.`);
  }
  const current =
    feature === METADATA_VERSION_FEATURE ? image.features.metadataVersion : image.features.level(feature);
  return directionProblem(update, apiVersion, current, invalid);
}

function directionProblem(
  update: FeatureUpdate,
  apiVersion: number,
  current: number,
  invalid: (why: string) => ApiError,
): ApiError | null {
  const upgradeType = apiVersion > 0 ? update.upgradeType : update.allowDowngrade ? SAFE_DOWNGRADE : UPGRADE;
  if (upgradeType < UPGRADE || upgradeType > UNSAFE_DOWNGRADE) {
    return invalid('The controller does not support the given upgrade type.');
  }
  if (update.maxVersionLevel < current) {
    if (upgradeType === UPGRADE) {
      return invalid(
        "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
      );
    }
    if (update.feature === METADATA_VERSION_FEATURE) {
      return invalid(
        'Metadata may have been written that older versions do not understand; downgrading is not supported.',
      );
    }
  } else if (update.maxVersionLevel > current && upgradeType !== UPGRADE) {
    return invalid("Can't downgrade to a newer version.");
  }
  return null;
}
