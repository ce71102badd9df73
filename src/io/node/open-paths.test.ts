import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { OpenPaths, type PathNode } from './open-paths.ts';

test('open paths follow any renames and removals as a plain list of paths would', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
    .map((names) => `/${names.join('/')}`);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), from: path, to: path }),
    fc.record({ kind: fc.constant('rename' as const), from: path, to: path }),
    fc.record({ kind: fc.constant('detach' as const), from: path, to: path }),
    fc.record({ kind: fc.constant('close' as const), from: path, to: path }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const paths = new OpenPaths<number>();
      const places = new Map<number, PathNode<number>>();
      const expected = new Map<number, string>();
      const below = (parent: string) =>
        [...expected].filter(([, at]) => at === parent || at.startsWith(`${parent}/`));
      const lose = (lost: number[], parent: string): void => {
        assert.deepEqual(
          lost.toSorted((a, b) => a - b),
          below(parent).map(([file]) => file),
        );
        for (const file of lost) expected.delete(file);
      };
      steps.forEach(({ kind, from, to }, file) => {
        if (kind === 'add') {
          places.set(file, paths.add(from, file));
          expected.set(file, from);
        } else if (kind === 'detach') {
          lose(paths.detach(from), from);
        } else if (kind === 'close') {
          const [first] = below(from);
          if (first === undefined) return;
          paths.remove(places.get(first[0]) as PathNode<number>, first[0]);
          expected.delete(first[0]);
        } else if (!to.startsWith(`${from}/`) && !from.startsWith(`${to}/`) && from !== to) {
          const moved = below(from);
          lose(paths.rename(from, to), to);
          for (const [one, at] of moved) expected.set(one, to + at.slice(from.length));
        }
        for (const [one, at] of expected) assert.equal(paths.pathOf(places.get(one) as PathNode<number>), at);
      });
    }),
  );
});
