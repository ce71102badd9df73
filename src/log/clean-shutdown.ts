/** The text of `.kafka_cleanshutdown`: the broker's epoch when it stopped. */
export function formatCleanShutdown(brokerEpoch: number): string {
  return JSON.stringify({ version: 0, brokerEpoch });
}

/** The broker epoch in the marker, -1 when it cannot be told: the marker itself says that the stop was clean. */
export function parseCleanShutdown(text: string): number {
  try {
    const parsed = JSON.parse(text) as { version?: unknown; brokerEpoch?: unknown } | null;
    const epoch = parsed?.brokerEpoch;
    return parsed?.version === 0 && Number.isSafeInteger(epoch) ? (epoch as number) : -1;
  } catch (error) {
    if (error instanceof SyntaxError) return -1;
    throw error;
  }
}
