import type { MaybePromise } from './maybe-promise.ts';

/** Gives `secret` to `use` and overwrites it with zeros as soon as that is done, also when it fails. */
export function wipeAfter<T>(secret: Uint8Array, use: (secret: Uint8Array) => MaybePromise<T>): MaybePromise<T> {
  const wipe = (): void => {
    secret.fill(0);
  };
  let result: MaybePromise<T>;
  try {
    result = use(secret);
  } catch (error) {
    wipe();
    throw error;
  }
  if (result instanceof Promise) {
    return result.finally(wipe);
  }
  wipe();
  return result;
}
