import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { Clock } from '../io/clock.ts';
import type { Compute } from '../io/compute.ts';
import type { Disk } from '../io/disk.ts';

/** What every part of the room is given: the ports, a logger and a seeded generator. */
export interface LogEnvironment {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly compute: Compute;
  readonly logger: Logger;
  readonly random: Random;
}
