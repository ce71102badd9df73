/** The command `odradek`. What a command needs is loaded when it runs, so that help and version answer at once. */
import { Command, CommanderError } from 'commander';
import { printable } from '../base/printable.ts';
import { VERSION } from '../base/version.ts';
import { commandArguments, exit, lineSink } from '../io/node/process.ts';
import { EXIT_FAILURE, EXIT_USAGE } from './exit-codes.ts';
import { failureLines } from './failure.ts';
import type { StartFlags } from './start-flags.ts';

const EXAMPLES = `
Examples:
  odradek                                   a broker on 127.0.0.1:9092 with its data in ./odradek-data
  odradek --port 19092 --data-dir /tmp/two  a second one beside it
  odradek --set num.partitions=8            any broker setting of Apache Kafka, here partitions of a new topic
  odradek --config server.properties        an Apache Kafka configuration file instead of the defaults

Settings are taken from the file (or the built-in development profile), then from environment variables
(KAFKA_LOG_DIRS is log.dirs), then from options; the later wins. docs/configuration.md lists them all.
Exit codes: 0 stopped cleanly, 1 failed, 2 wrong options or settings, 130 or 143 stopped at once by a second signal.`;

/** Runs one command line; resolves when a command has been started or has answered. */
async function main(): Promise<void> {
  const out = lineSink('stdout');
  const err = lineSink('stderr');
  const program = new Command('odradek');
  const start = startCommand();
  program
    .description('An event-streaming broker that every Apache Kafka client talks to.')
    .usage('[start] [options]')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addCommand(start, { isDefault: true })
    .addHelpText('after', () => `\n${optionsOf(start)}\n${EXAMPLES}`);
  for (const command of [program, start]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => out(text.trimEnd()),
      writeErr: (text) => err(printable(text.trim(), 500)),
      outputError: (text, write) =>
        write(
          `${text
            .trim()
            .replace(/^error:/, 'odradek:')
            .replaceAll('\n', ' ')}; odradek --help tells more`,
        ),
    });
  }
  const words = commandArguments();
  const [first = ''] = words;
  if (first !== '' && !first.startsWith('-') && first !== 'start') {
    err(`odradek: there is no command "${printable(first, 100)}"; odradek --help tells which there are`);
    exit(EXIT_USAGE);
  }
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
    for (const line of failureLines(error)) err(line);
    exit(EXIT_FAILURE);
  }
}

function startCommand(): Command {
  const collect = (value: string, former: string[] | undefined) => [...(former ?? []), value];
  return new Command('start')
    .description('Start a broker; "odradek" alone does the same.')
    .helpOption('-h, --help', 'print this help')
    .option(
      '-c, --config <file>',
      "a properties file with Apache Kafka's names, instead of the development profile",
    )
    .option('-p, --port <port>', 'port that clients connect to; 0 takes any free one (default: 9092)')
    .option('-d, --data-dir <directory>', 'where data is kept (default: ./odradek-data)')
    .option(
      '-s, --set <name=value>',
      'any setting, such as log.retention.hours=24; may be repeated',
      collect,
      [],
    )
    .option('--admin-port <port>', 'serve /metrics and /healthz over HTTP on this port')
    .option('--cluster-id <id>', 'cluster id for a new data directory, instead of a random one')
    .option('--format', 'with --config: format the data directories if they are empty')
    .option('--log-format <format>', 'human, json, or auto: human on a terminal (default: auto)')
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .allowExcessArguments(false)
    .action(async (flags: StartFlags) => {
      const { start } = await import('./start.ts');
      await start(flags);
    });
}

/** The options of a command as its own help lists them. */
function optionsOf(command: Command): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter((option) => option.long !== '--help');
  const width = Math.max(...options.map((option) => option.flags.length));
  return [
    'Options of start:',
    ...options.map((option) => `  ${option.flags.padEnd(width)}  ${option.description}`),
  ].join('\n');
}

await main();
