/** Runs with a seed that is shown in the title of the test, and can be set to run the same cases again. */
export const SEED = Number(process.env['KEYWRIGHT_TEST_SEED'] ?? Date.now() % 0x7fffffff);
