/** Runs `callback` in a later turn of the loop; `Clock.defer`. */
export type Defer = (callback: () => void) => void;

/** Work on records that yields where others may have their turn. */
export type RecordSteps<T> = Generator<void, T>;

/** Begins at once and goes on in later turns; `done` is called before this returns if the steps never yield. */
export function runInTurns<T>(steps: RecordSteps<T>, defer: Defer, done: (value: T) => void): void {
  const step = steps.next();
  if (step.done === true) done(step.value);
  else defer(() => runInTurns(steps, defer, done));
}
