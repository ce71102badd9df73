import type { LeaderHint, MetadataView, ReachableNode } from './metadata-view.ts';

const NO_NODES: readonly ReachableNode[] = [];

/** Collects, for one answer, who leads the partitions that were asked of the wrong broker (KIP-951), and where those leaders are. */
export class LeaderHints {
  readonly #view: MetadataView;
  readonly #listener: string;
  /** Made for the first hint: almost no answer has one. */
  #nodes: Map<number, ReachableNode> | null = null;

  constructor(view: MetadataView, listener: string) {
    this.#view = view;
    this.#listener = listener;
  }

  /** The leader of a partition; its address is added to `nodes`. */
  of(topic: string, partition: number): LeaderHint {
    const hint = this.#view.leader(topic, partition);
    const node = this.#view.node(hint.leaderId, this.#listener);
    if (node !== null) (this.#nodes ??= new Map()).set(node.nodeId, node);
    return hint;
  }

  /** Addresses of the leaders told. */
  nodes(): readonly ReachableNode[] {
    return this.#nodes === null ? NO_NODES : [...this.#nodes.values()];
  }
}
