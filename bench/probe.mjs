// Loaded into a broker before its own code (`--import`): watches the loop and tells over the process channel what it saw. Plain JavaScript, so that
// the broker's memory is not that of a compiler as well.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 5;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
process.on('message', () => {
  const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  process.send?.({ longestStallMs: late(delays.max), p99StallMs: late(delays.percentile(99)) });
  delays.reset();
});
process.channel?.unref();
