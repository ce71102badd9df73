import { type Uuid, ZERO_UUID } from '../base/uuid.ts';

/** Reserved directory ids: their upper 64 bits are 0 and the lower are below 100. Source: KIP-858. */

/** The replica has not been placed in a directory yet. */
export const UNASSIGNED_DIRECTORY: Uuid = ZERO_UUID;
/** The replica lies in a directory that is offline. */
export const LOST_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ';
/** The replica is in some directory that the metadata does not know yet (metadata.version below 17). */
export const MIGRATING_DIRECTORY: Uuid = 'AAAAAAAAAAAAAAAAAAAAAg';

/** True for an id that no real directory may have. */
export function isReservedDirectory(id: Uuid): boolean {
  const bytes = Buffer.from(id, 'base64url');
  return bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] as number) < 100;
}

/** True if a replica in directory `id` of a broker with these online directories can be served. Reserved ids other than LOST count as online. */
export function isOnlineDirectory(id: Uuid, registered: readonly Uuid[]): boolean {
  if (registered.length === 0 || registered.includes(id)) return true;
  return id === UNASSIGNED_DIRECTORY || id === MIGRATING_DIRECTORY;
}
