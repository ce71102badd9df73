/** Partition of an internal topic that a key belongs to: abs(h) mod n, h being Java's `String.hashCode` (formats §18). */
export function partitionFor(key: string, partitionCount: number): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  // Kafka's `Utils.abs` has 0 for the one number without a positive counterpart.
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitionCount;
}
