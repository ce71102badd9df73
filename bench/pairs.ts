/** The broker and a bare program under the same load, turn by turn, so that what else the machine does meets both alike. */
import { type LoadOptions, type LoadReport, measured, median, type Server } from './harness.ts';

/** CPU per unit of one side: the median of its turns. */
export interface Side {
  readonly cost: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Units per second of wall-clock time. */
  readonly rate: number;
}

/** Both sides, and the median of the ratios of the turns. */
export interface Comparison {
  readonly broker: Side;
  readonly bare: Side;
  readonly ratio: number;
}

/** One side's server and load. */
export interface Contender {
  readonly server: Server;
  readonly load: LoadOptions;
  /** Units in what the load saw: bytes, answers. */
  readonly units: (report: LoadReport) => number;
}

const PAIRS = 5;
const WARM_UP_SECONDS = 1;

/** Lets the two sides take turns. */
export async function compare(broker: Contender, bare: Contender): Promise<Comparison> {
  await measured(broker.server, { ...broker.load, seconds: WARM_UP_SECONDS });
  await measured(bare.server, { ...bare.load, seconds: 0.2 });
  const ours: Side[] = [];
  const theirs: Side[] = [];
  const ratios: number[] = [];
  for (let turn = 0; turn < PAIRS; turn++) {
    const mine = await side(broker);
    const other = await side(bare);
    ours.push(mine);
    theirs.push(other);
    ratios.push(mine.cost / other.cost);
  }
  return { broker: middle(ours), bare: middle(theirs), ratio: median(ratios) };
}

async function side({ server, load, units }: Contender): Promise<Side> {
  const report = await measured(server, load);
  const count = units(report);
  return {
    cost: report.cpuSeconds / count,
    p50Us: report.p50Us,
    p99Us: report.p99Us,
    rate: count / report.seconds,
  };
}

function middle(sides: readonly Side[]): Side {
  return {
    cost: median(sides.map(({ cost }) => cost)),
    p50Us: median(sides.map(({ p50Us }) => p50Us)),
    p99Us: median(sides.map(({ p99Us }) => p99Us)),
    rate: median(sides.map(({ rate }) => rate)),
  };
}
