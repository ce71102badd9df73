/** Tables: on the terminal, and in docs/performance.md. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT, type Row } from './harness.ts';

const PAGE = join(ROOT, 'docs/performance.md');
const HEADS: Required<Row> = {
  what: 'what',
  measured: 'Odradek',
  beside: 'beside',
  ratio: 'ratio',
  stall: 'longest stall',
};

/** Commit, Node, kernel and machine, in one line. */
export function environmentLine(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'src', 'native') === '' ? '' : ' with changes';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const processor = `${cpus().length} × ${cpus()[0]?.model.trim()}`;
  return `commit ${git('rev-parse', '--short', 'HEAD')}${changed} · Node ${process.versions.node} · Linux ${release()} · ${processor} · ${memory}`;
}

/** Rows as aligned columns. */
export function formatTable(rows: readonly Row[]): string {
  const cells = tableCells(rows);
  const widths = (cells[0] as string[]).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] as string).length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Rows as a table of Markdown. */
export function markdownTable(rows: readonly Row[]): string {
  const [head = [], ...body] = tableCells(rows);
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** A benchmark and what it found. */
export interface Table {
  readonly bench: { readonly name: string; readonly title: string };
  readonly rows: readonly Row[];
}

/** Puts tables into the page, each between the marks of its name; what has no place yet goes to the end. */
export function writeTables(tables: readonly Table[]): void {
  let page = readFileSync(PAGE, 'utf8');
  for (const { bench, rows } of tables) page = withSection(page, bench.name, section(bench, rows));
  writeFileSync(PAGE, page);
}

/** The page with the section of that name replaced, or added. */
export function withSection(page: string, name: string, content: string): string {
  const begin = `<!-- bench ${name} -->`;
  const end = `<!-- /bench ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${begin}\n${content}\n${end}\n`;
  return `${page.slice(0, from)}${begin}\n${content}\n${page.slice(to)}`;
}

function section(bench: Table['bench'], rows: readonly Row[]): string {
  return `### ${bench.title}\n\n\`npm run bench -- ${bench.name}\` · ${environmentLine()}\n\n${markdownTable(rows)}\n`;
}

function tableCells(rows: readonly Row[]): string[][] {
  const columns: (keyof Row)[] = ['what', 'measured', 'beside', 'ratio'];
  if (rows.some((row) => row.stall !== undefined)) columns.push('stall');
  return [HEADS, ...rows].map((row) => columns.map((column) => row[column] ?? ''));
}
