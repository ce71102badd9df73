/** Reads `max.connections.per.ip.overrides`: `host:count` separated by commas; what is wrong goes to `report`. */
export function parseConnectionLimits(text: string, report: (problem: string) => void): Map<string, number> {
  const limits = new Map<string, number>();
  for (const pair of text.split(',').map((part) => part.trim())) {
    if (pair === '') continue;
    const [, host, count] = /^(\S+):(\d{1,10})$/.exec(pair) ?? [];
    if (host === undefined) report(`"${pair}" is not host:count`);
    else limits.set(host, Number(count));
  }
  return limits;
}
