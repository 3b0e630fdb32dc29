/**
 * `@peculiar/x509` registers its own classes with tsyringe, which will not load without a metadata polyfill but gets by
 * with one that remembers nothing.
 */
if (!('getMetadata' in Reflect)) {
  const nothing = (): undefined => undefined;
  Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing });
}

/** Loaded only now that the polyfill is there. */
export const x509 = await import('@peculiar/x509');
