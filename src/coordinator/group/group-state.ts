import type { TimelineMap } from '../../base/timeline.ts';
import type { ShardContext } from '../runtime/coordinator.ts';
import type { GroupConfig } from './group-config.ts';
import type { Group } from './group.ts';
import { OffsetStore } from './offsets/offset-store.ts';

/** What every part of a group coordinator's shard works on. */
export interface GroupState {
  readonly context: ShardContext;
  readonly config: GroupConfig;
  /** All groups of the shard by their ids. */
  readonly groups: TimelineMap<string, Group>;
  readonly offsets: OffsetStore;
}

/** The state of a shard that knows nothing yet. */
export function newGroupState(context: ShardContext, config: GroupConfig): GroupState {
  const { timeline } = context;
  return { context, config, groups: timeline.createMap<string, Group>(), offsets: new OffsetStore(timeline) };
}
