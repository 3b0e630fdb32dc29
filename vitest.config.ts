import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The native addon keeps process-wide state (secure heap, signal of a fork): one process per test file, as in use.
    pool: 'forks',
    // RSA key generation and a server start take seconds on a busy two-core machine.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    // A forgotten `.only` must not hide other tests, on any machine.
    allowOnly: false,
  },
});
