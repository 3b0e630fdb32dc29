/** A value that is there already, or will be: software keys answer at once, HSMs and stores later. */
export type MaybePromise<T> = T | Promise<T>;

/** Continues with `next` at once when `value` is there, and only otherwise through a promise. */
export function chain<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
