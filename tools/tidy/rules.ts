/** The rules of the tidy test: each takes parsed sources and returns one line for every place that breaks it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  BANNED_GLOBALS,
  BANNED_MODULES,
  LONG_FILES,
  LONG_FUNCTIONS,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  PURE_ROOMS,
  ROOMS,
  SYSTEM_FOLDER,
} from './rooms.ts';
import { isNode, type Node, ROOT, resolveImport, type Source, walk } from './source.ts';

/** The room of a path under `src/`, null for the package entry and for all else. */
function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** True where the ban on clocks, randomness, timers and I/O holds: the broker and the simulator, not their tests. */
function isDeterministic(source: Source): boolean {
  if (source.isTest || source.path.startsWith(SYSTEM_FOLDER)) return false;
  if (source.path === 'sim/main.ts' || source.path.startsWith('sim/cli/')) return false;
  return source.path.startsWith('src/') || source.path.startsWith('sim/');
}

/** A room imports only what its row names; nothing under `src/` imports what lies beside it; only the composition roots reach into `io/node`. */
export function roomViolations(sources: readonly Source[]): string[] {
  const found: string[] = [];
  for (const source of sources) {
    const room = roomOf(source.path);
    if (room === null || source.isTest) continue;
    const allowed = ROOMS[room];
    if (allowed === undefined) {
      found.push(`${source.path}: room ${room} has no row in the table`);
      continue;
    }
    for (const specifier of source.imports.filter((name) => name.startsWith('.'))) {
      const target = resolveImport(source.path, specifier);
      const other = roomOf(target);
      if (other === null || !(other === room || other === 'base' || allowed.includes(other))) {
        found.push(
          `${source.path} imports ${target}: room ${room} may import ${['base', ...allowed].join(', ')}`,
        );
      } else if (
        target.startsWith(SYSTEM_FOLDER) &&
        !source.path.startsWith(SYSTEM_FOLDER) &&
        room !== 'cli'
      ) {
        found.push(
          `${source.path} imports ${target}: only cli and the package entry choose an implementation of the ports`,
        );
      }
    }
  }
  return found;
}

/** Every relative import names an existing file with its `.ts` (or `.mjs`) ending. */
export function importPathViolations(sources: readonly Source[]): string[] {
  const found: string[] = [];
  for (const source of sources) {
    for (const specifier of source.imports.filter((name) => name.startsWith('.'))) {
      const target = resolveImport(source.path, specifier);
      if (target.startsWith('dist/') || target.startsWith('.build/')) continue;
      if (!/\.(ts|mjs|json)$/.test(specifier) || !existsSync(join(ROOT, target)))
        found.push(`${source.path} imports ${specifier}: no such file`);
    }
  }
  return found;
}

/** Import cycles, each as the chain of its files. */
export function importCycles(sources: readonly Source[]): string[] {
  const edges = new Map<string, string[]>();
  for (const source of sources) {
    edges.set(
      source.path,
      source.imports.filter((name) => name.startsWith('.')).map((name) => resolveImport(source.path, name)),
    );
  }
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const stack: string[] = [];
  const visit = (path: string): void => {
    state.set(path, 'open');
    stack.push(path);
    for (const next of edges.get(path) ?? []) {
      if (state.get(next) === 'open') found.push([...stack.slice(stack.indexOf(next)), next].join(' → '));
      else if (!state.has(next) && edges.has(next)) visit(next);
    }
    stack.pop();
    state.set(path, 'done');
  };
  for (const path of edges.keys()) if (!state.has(path)) visit(path);
  return found;
}

/** Clocks, randomness, timers and I/O outside `io/node`, and `async` in pure rooms. */
export function determinismViolations(sources: readonly Source[]): string[] {
  const found: string[] = [];
  for (const source of sources.filter(isDeterministic)) {
    for (const name of source.imports)
      if (BANNED_MODULES.has(name)) found.push(`${source.path} imports ${name}: only ${SYSTEM_FOLDER} may`);
    const pure = PURE_ROOMS.includes(roomOf(source.path) ?? '');
    walk(source.program, (node, parent) => {
      const name = globalName(node, parent);
      const at = `${source.path}:${source.lineOf(node.start)}`;
      if (name !== null && BANNED_GLOBALS.has(name))
        found.push(`${at} uses ${name}: only ${SYSTEM_FOLDER} may`);
      if (
        node.type === 'NewExpression' &&
        identifier(node['callee']) === 'Date' &&
        (node['arguments'] as Node[]).length === 0
      ) {
        found.push(`${at} uses new Date(): only ${SYSTEM_FOLDER} may`);
      }
      if (pure && (node['async'] === true || node.type === 'AwaitExpression'))
        found.push(`${at} is async: room ${roomOf(source.path)} is pure`);
      return undefined;
    });
  }
  return found;
}

/** `Date.now` or `setTimeout` for a node that reads such a global, else null. */
function globalName(node: Node, parent: Node | null): string | null {
  if (node.type === 'MemberExpression' && node['computed'] === false) {
    const object = identifier(node['object']);
    const property = identifier(node['property']);
    if (object === 'globalThis') return property;
    return object !== null && property !== null ? `${object}.${property}` : null;
  }
  if (node.type !== 'Identifier' || parent === null) return null;
  if (parent.type === 'MemberExpression' && parent['property'] === node && parent['computed'] === false)
    return null;
  const isName =
    /^(Property|MethodDefinition|PropertyDefinition|ImportSpecifier|ExportSpecifier|TS\w+)$/.test(
      parent.type,
    );
  if (isName && !(parent.type === 'Property' && parent['value'] === node)) return null;
  if (/Function|Declarator$/.test(parent.type) && parent['init'] !== node && parent['body'] !== node)
    return null;
  return node['name'] as string;
}

function identifier(node: unknown): string | null {
  return isNode(node) && node.type === 'Identifier' ? (node['name'] as string) : null;
}

/** Files and functions over their limit, and exceptions that are no longer needed. `files` maps a path to its number of lines. */
export function sizeViolations(sources: readonly Source[], files: ReadonlyMap<string, number>): string[] {
  const found: string[] = [];
  for (const [path, lines] of files) {
    const most = LONG_FILES[path] ?? MAX_FILE_LINES;
    if (lines > most) found.push(`${path} has ${lines} lines, at most ${most} are allowed`);
    if (path in LONG_FILES && lines <= MAX_FILE_LINES)
      found.push(`${path} fits now: remove its row from LONG_FILES`);
  }
  for (const path of Object.keys(LONG_FILES))
    if (!files.has(path)) found.push(`${path} is gone: remove its row from LONG_FILES`);
  const seen = new Set<string>();
  for (const source of sources) {
    for (const { name, lines, line } of functionSizes(source)) {
      const key = `${source.path}#${name}`;
      if (lines <= MAX_FUNCTION_LINES) continue;
      seen.add(key);
      const most = LONG_FUNCTIONS[key] ?? MAX_FUNCTION_LINES;
      if (lines > most)
        found.push(`${source.path}:${line} ${name} has ${lines} lines, at most ${most} are allowed`);
    }
  }
  for (const key of Object.keys(LONG_FUNCTIONS))
    if (!seen.has(key)) found.push(`${key} fits now or is gone: remove its row from LONG_FUNCTIONS`);
  return found;
}

/** Name and length of every function. Callbacks of `suite` and `describe` only hold tests and are not counted; a subtest counts by itself and not within its test. */
function functionSizes(source: Source): { name: string; lines: number; line: number }[] {
  const sizes: { name: string; lines: number; line: number }[] = [];
  walk(source.program, (node, parent) => {
    if (
      !/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type) ||
      !isNode(node['body'])
    )
      return undefined;
    const callee = parent?.type === 'CallExpression' ? identifier(parent['callee']) : null;
    if (callee === 'suite' || callee === 'describe') return undefined;
    const name =
      identifier(node['id']) ?? identifier(parent?.['key']) ?? identifier(parent?.['id']) ?? 'anonymous';
    const line = source.lineOf(node.start);
    sizes.push({ name, line, lines: source.lineOf(node.end) - line + 1 - subtestLines(source, node) });
    return undefined;
  });
  return sizes;
}

/** Lines of the calls of `t.test` within a function. */
function subtestLines(source: Source, within: Node): number {
  let lines = 0;
  walk(within, (node) => {
    if (node.type !== 'CallExpression' || !isNode(node['callee'])) return undefined;
    const { callee } = node as { callee?: Node };
    if (
      callee?.type !== 'MemberExpression' ||
      identifier(callee['object']) !== 't' ||
      identifier(callee['property']) !== 'test'
    )
      return undefined;
    lines += source.lineOf(node.end) - source.lineOf(node.start) + 1;
    return false;
  });
  return lines;
}

/** Exported declarations of the broker, the simulator and the benchmarks without a doc comment. */
export function undocumentedExports(sources: readonly Source[]): string[] {
  const found: string[] = [];
  for (const source of sources.filter(
    ({ path, isTest }) => /^(src|sim|bench|test)\//.test(path) && !isTest,
  )) {
    const documented = new Set<string>();
    for (const statement of source.program['body'] as Node[]) {
      if (statement.type === 'ExportDefaultDeclaration') found.push(`${source.path}: default export`);
      if (statement.type !== 'ExportNamedDeclaration' || !isNode(statement['declaration'])) continue;
      const names = declaredNames(statement['declaration']);
      // A type that has the name of the value just above it is documented by it.
      if (/\*\/\s*$/.test(source.text.slice(0, statement.start)))
        for (const name of names) documented.add(name);
      else
        for (const name of names)
          if (!documented.has(name))
            found.push(
              `${source.path}:${source.lineOf(statement.start)} exports ${name} without a doc comment`,
            );
    }
  }
  return found;
}

function declaredNames(declaration: Node): string[] {
  const own = identifier(declaration['id']);
  if (own !== null) return [own];
  return ((declaration['declarations'] ?? []) as Node[]).map(
    (declarator) => identifier(declarator['id']) ?? 'a pattern',
  );
}
