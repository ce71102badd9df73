import type { MessageLayout } from './layout.ts';

/** The places that the errors of one generated function name; generated code refers to them by index, as `W[i]`. */
export class PathTable {
  readonly texts: string[] = [];
  readonly #prefix: string;

  constructor(layout: MessageLayout) {
    this.#prefix = `${layout.name} v${layout.version}`;
  }

  /** The expression that stands for `path`. */
  of(path: string): string {
    return `W[${this.texts.push(`${this.#prefix} ${path}`) - 1}]`;
  }
}
