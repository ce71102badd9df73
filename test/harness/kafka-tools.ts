import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { findTool, IN_CI, ROOT_DIRECTORY, skipOrFail, toolOrSkip } from './environment.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

const JAVA_DIRECTORY = join(ROOT_DIRECTORY, 'test', 'java');

/** The plugin that copies jars, by version so that two machines do the same. */
const COPY_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

/** Downloading some 55 MB from a cold cache. */
const DOWNLOAD_TIMEOUT_MS = 600_000;

/** Short-lived tools: little memory, the quick compiler only. */
const TOOL_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Apache Kafka's own programs, run by main class. */
export class KafkaTools {
  /** Path of `java`. */
  readonly java: string;
  readonly #jarDirectory: string;

  private constructor(java: string, jarDirectory: string) {
    this.java = java;
    this.#jarDirectory = jarDirectory;
  }

  /**
   * The tools, downloaded at first use (see `jarDirectory`). Null, with the test skipped, where there is no Java or they cannot be had.
   * @throws Error in CI instead.
   */
  static async orSkip(t: TestContext): Promise<KafkaTools | null> {
    const java = toolOrSkip(t, 'java');
    if (java === null) return null;
    try {
      return new KafkaTools(java, await provideJars());
    } catch (error) {
      if (IN_CI) throw error;
      skipOrFail(
        t,
        `Apache Kafka's jars cannot be had: ${error instanceof Error ? error.message : String(error)}`,
      );
      return null;
    }
  }

  /** Arguments of `java` that run a main class with everything of Kafka on the class path. */
  javaArguments(mainClass: string, args: readonly string[], flags: readonly string[] = TOOL_FLAGS): string[] {
    return [
      ...flags,
      `-Dlog4j2.configurationFile=${join(JAVA_DIRECTORY, 'log4j2.xml')}`,
      '-cp',
      join(this.#jarDirectory, '*'),
      mainClass,
      ...args,
    ];
  }

  /** Runs a main class to its end. @throws Error as `run` does. */
  async run(mainClass: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    return await run(this.java, this.javaArguments(mainClass, args), options);
  }
}

/**
 * Directory with the jars that `test/java/pom.xml` names: `$ODRADEK_CACHE` or `~/.cache/odradek`, below it one directory per content of
 * that file. Filled through Maven when it is not there; complete once it exists, because it is renamed into place.
 */
async function provideJars(): Promise<string> {
  const pom = join(JAVA_DIRECTORY, 'pom.xml');
  const content = readFileSync(pom);
  const version = /<kafka\.version>([^<]+)</.exec(content.toString())?.[1] ?? 'unknown';
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 8);
  const cache = process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache', 'odradek');
  const directory = join(cache, `kafka-${version}-${digest}`);
  if (existsSync(directory)) return directory;

  const maven = findTool('mvn');
  if (maven === null) throw new Error(`mvn is not installed and ${directory} does not exist`);
  const partial = `${directory}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await run(
      maven,
      ['-B', '-q', '-f', pom, COPY_GOAL, '-DincludeScope=runtime', `-DoutputDirectory=${partial}`],
      { timeoutMs: DOWNLOAD_TIMEOUT_MS },
    );
    writeFileSync(join(partial, 'jars.txt'), `${readdirSync(partial).sort().join('\n')}\n`);
    if (!existsSync(directory)) renameSync(partial, directory);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return directory;
}
