import { expect } from 'vitest';

/** Expects a call to be refused with this error name and, when given, exactly this text. */
export async function expectError(call: Promise<unknown>, name: string, message?: string | RegExp): Promise<void> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: error as Error }),
  );
  if (!('error' in outcome)) {
    throw new Error(`expected ${name}, but the call succeeded`);
  }
  expect(outcome.error.name).toBe(name);
  if (typeof message === 'string') {
    expect(outcome.error.message).toBe(message);
  } else if (message !== undefined) {
    expect(outcome.error.message).toMatch(message);
  }
}
