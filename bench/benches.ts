/** The benchmarks there are, in the order in which they run. */
import type { Row } from './harness.ts';
import { codecRows } from './rows/codec.ts';
import { coldRows } from './rows/cold.ts';
import { fetchRows } from './rows/fetch.ts';
import { ingestRows } from './rows/ingest.ts';
import { manyRows } from './rows/many.ts';
import { metadataRows } from './rows/metadata.ts';
import { partitionRows } from './rows/partitions.ts';
import { quorumRows } from './rows/quorum.ts';
import { smallRows } from './rows/small.ts';
import { startRows } from './rows/start.ts';

/** One benchmark: `npm run bench -- <name>`. */
export interface Bench {
  readonly name: string;
  /** What its table shows. */
  readonly title: string;
  run(): Promise<Row[]>;
}

/** All of them. */
export const BENCHES: readonly Bench[] = [
  { name: 'start', title: 'Start and idle memory', run: startRows },
  { name: 'small', title: 'Small requests beside a bare echo', run: smallRows },
  { name: 'fetch', title: 'Fetch of warm data beside a bare sendfile server', run: fetchRows },
  { name: 'ingest', title: 'Produce beside bare receive, CRC-32C and append', run: ingestRows },
  { name: 'many', title: 'Ten thousand connections', run: manyRows },
  { name: 'cold', title: 'A reader of old data beside a paced producer', run: coldRows },
  { name: 'codec', title: 'Compression', run: codecRows },
  { name: 'quorum', title: 'Commits of the metadata log', run: quorumRows },
  { name: 'metadata', title: 'The metadata of a large cluster', run: metadataRows },
  {
    name: 'partitions',
    title: 'Many partitions, and recovery beside bare read and CRC-32C',
    run: partitionRows,
  },
];
