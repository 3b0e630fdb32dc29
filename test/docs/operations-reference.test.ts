import { expect, it } from 'vitest';
import { renderOperationsReference } from './operations-reference.ts';

it('docs/reference/operations.md says what the code declares', async () => {
  await expect(renderOperationsReference()).toMatchFileSnapshot('../../docs/reference/operations.md');
});

it('every operation has a summary', () => {
  expect(renderOperationsReference()).not.toMatch(/## \w+\n\n\n/);
});
