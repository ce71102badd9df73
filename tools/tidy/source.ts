/** Reads the checkout's sources once, as text and as syntax trees, for the tidy test. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** A node of the syntax tree (ESTree with TypeScript), as far as the rules look into it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One TypeScript file. */
export interface Source {
  /** Path below the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly isTest: boolean;
  /** Every module specifier that is imported or re-exported, as written. */
  readonly imports: readonly string[];
  /** Number of the line (from 1) that holds position `at`. */
  lineOf(at: number): number;
}

/** Paths of all files that match, below the checkout, sorted. */
export function list(...patterns: string[]): string[] {
  return globSync(patterns, { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

/** Parses every TypeScript file of the checkout. @throws Error when one does not parse. */
export function readSources(): Source[] {
  return list('{src,sim,bench,test,tools,examples}/**/*.ts')
    .filter((path) => !path.includes('testdata/'))
    .map((path) => readSource(path));
}

/** Parses one file; `text` stands in for its content where it is given. */
export function readSource(path: string, text: string = readFileSync(join(ROOT, path), 'utf8')): Source {
  const parsed = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
  if (parsed.errors.length > 0) throw new Error(`${path} does not parse: ${parsed.errors[0]?.message}`);
  const program = parsed.program as unknown as Node;
  const lineStarts = [0];
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 10) lineStarts.push(i + 1);
  return {
    path,
    text,
    program,
    isTest: path.endsWith('.test.ts'),
    imports: collectImports(program),
    lineOf: (at) => {
      let low = 0;
      let high = lineStarts.length;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if ((lineStarts[middle] ?? 0) <= at) low = middle;
        else high = middle;
      }
      return low + 1;
    },
  };
}

/** Path (below the checkout) of a relative import. */
export function resolveImport(from: string, specifier: string): string {
  return relative(ROOT, resolve(ROOT, dirname(from), specifier)).replaceAll('\\', '/');
}

/** Calls `visit` for every node below (and with) `node`, parents first; false from it skips what is below. */
export function walk(
  node: Node,
  visit: (node: Node, parent: Node | null) => boolean | undefined,
  parent: Node | null = null,
): void {
  if (visit(node, parent) === false) return;
  for (const key in node) {
    const child = node[key];
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) walk(item, visit, node);
    } else if (isNode(child)) walk(child, visit, node);
  }
}

/** True for a syntax tree node. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function collectImports(program: Node): string[] {
  const found: string[] = [];
  walk(program, (node) => {
    const source = node['source'];
    if (/^(Import|ExportNamed|ExportAll)(Declaration|Expression)$/.test(node.type) && isNode(source)) {
      if (typeof source['value'] === 'string') found.push(source['value']);
    }
    return undefined;
  });
  return found;
}
