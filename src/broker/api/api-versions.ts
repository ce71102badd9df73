/**
 * ApiVersions, versions 0–4: what the dispatch table serves, the features this version can run with and those the cluster has finalized. A version that is not served is
 * answered as version 0 with UNSUPPORTED_VERSION and the one entry that tells which versions are (formats §2).
 */
import { ErrorCode } from '../../base/errors.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/api-versions.ts';
import { SUPPORTED_FEATURES } from '../../metadata/supported-features.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import type { MetadataView } from '../metadata-view.ts';

const API_KEY = 18;
const MAX_VERSION = 4;
const FIRST_VERSION_WITH_SOFTWARE = 3;
const FIRST_VERSION_WITH_ZERO_FEATURES = 4;
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** What ApiVersions tells. */
export interface ApiVersionsSources {
  /** The dispatch table's entries. */
  readonly handlers: () => readonly ApiHandler[];
  readonly view: MetadataView;
}

/** The handler of ApiVersions. */
export function apiVersionsApi(sources: ApiVersionsSources): ApiHandler {
  let apiKeys: { apiKey: number; minVersion: number; maxVersion: number }[] | null = null;
  return api({
    apiKey: API_KEY,
    minVersion: 0,
    maxVersion: MAX_VERSION,
    request: ApiVersionsRequest,
    response: ApiVersionsResponse,
    handle(context, request) {
      const { apiVersion, connection } = context;
      if (apiVersion >= FIRST_VERSION_WITH_SOFTWARE) {
        const { clientSoftwareName, clientSoftwareVersion } = request;
        if (!SOFTWARE.test(clientSoftwareName) || !SOFTWARE.test(clientSoftwareVersion)) {
          context.respond({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] });
          return;
        }
        connection.clientSoftwareName = clientSoftwareName;
        connection.clientSoftwareVersion = clientSoftwareVersion;
      }
      apiKeys ??= sources.handlers().map((handler) => ({
        apiKey: handler.apiKey,
        minVersion: handler.advertisedMinVersion,
        maxVersion: handler.maxVersion,
      }));
      context.respond({ errorCode: ErrorCode.NONE, apiKeys, ...featuresFor(sources, apiVersion) });
    },
    handleUnsupported(context) {
      context.respond({
        errorCode: ErrorCode.UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey: API_KEY, minVersion: 0, maxVersion: MAX_VERSION }],
      });
    },
  });
}

function featuresFor({ view }: ApiVersionsSources, apiVersion: number) {
  if (apiVersion < FIRST_VERSION_WITH_SOFTWARE) return {};
  const { features, provenance } = view.image;
  return {
    supportedFeatures: SUPPORTED_FEATURES.filter(
      ({ minLevel }) => apiVersion >= FIRST_VERSION_WITH_ZERO_FEATURES || minLevel > 0,
    ).map(({ name, minLevel, maxLevel }) => ({ name, minVersion: minLevel, maxVersion: maxLevel })),
    finalizedFeaturesEpoch: provenance.offset,
    finalizedFeatures: [...features.levels].map(([name, level]) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
  };
}
