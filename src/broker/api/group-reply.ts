import type { RequestContext } from '../request-context.ts';

/**
 * Gives a request that may have been parked its answer: at most once, and only while its connection is there. What the answer's making throws costs this
 * connection and nothing else.
 */
export function replyOnce<R extends object>(context: RequestContext<R>): (response: R) => void {
  let replied = false;
  return (response) => {
    if (replied || context.cancelled) return;
    replied = true;
    context.guard(() => context.respond(response));
  };
}

/** Calls back once a number of parts have reported. */
export function whenAll(count: number, done: () => void): () => void {
  let left = count;
  if (left === 0) done();
  return () => {
    if (--left === 0) done();
  };
}
