import { expect, it } from 'vitest';
import { listUngroupedErrors, listUnknownErrors, renderErrorsReference } from './errors-reference.ts';

it('docs/reference/errors.md says what the catalogue and the operations declare', async () => {
  await expect(renderErrorsReference()).toMatchFileSnapshot('../../docs/reference/errors.md');
});

it('every error that an operation lists is in the catalogue', () => {
  expect(listUnknownErrors()).toEqual([]);
});

it('an error that the catalogue does not have is found', () => {
  expect(listUnknownErrors({})).toContain('Decrypt: InvalidCiphertextException');
});

it('every error of the catalogue is on the page', () => {
  expect(listUngroupedErrors()).toEqual([]);
});
