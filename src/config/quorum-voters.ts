/** A voter of `controller.quorum.voters`. */
export interface QuorumVoter {
  readonly nodeId: number;
  /** An IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

const VOTER = /^(\d{1,10})@(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]+)):(\d{1,5})$/;

/** Reads voters in the form `id@host:port`; what is wrong goes to `report`. */
export function parseVoters(texts: readonly string[], report: (problem: string) => void): QuorumVoter[] {
  const voters: QuorumVoter[] = [];
  for (const text of texts) {
    const [, nodeId, bracketed, plain, port] = VOTER.exec(text) ?? [];
    if (nodeId === undefined || Number(port) > 65535) report(`"${text}" is not id@host:port`);
    else if (voters.some((voter) => voter.nodeId === Number(nodeId))) report(`node ${nodeId} is there twice`);
    else voters.push({ nodeId: Number(nodeId), host: bracketed ?? plain ?? '', port: Number(port) });
  }
  return voters;
}
