import { expect, it } from 'vitest';
import * as coreModule from '../../src/core/index.ts';
import { listUndocumented, readCoreInterface, renderCoreReference } from './core-reference.ts';

it('docs/reference/core.md says what the docstrings of the core say', async () => {
  await expect(renderCoreReference()).toMatchFileSnapshot('../../docs/reference/core.md');
});

it('every exported member of the core has a docstring', () => {
  expect(listUndocumented()).toEqual([]);
});

it('everything that keywright/core exports is on the page', () => {
  const names = readCoreInterface().flatMap(({ entries }) => entries.map(({ name }) => name));
  expect(names).toEqual(expect.arrayContaining(Object.keys(coreModule)));
});

it('every method of the core that runs is on the page', () => {
  const described = readCoreInterface().flatMap(({ entries }) =>
    entries.flatMap(({ methods }) => methods.map(({ name }) => name)),
  );
  const { core } = coreModule;
  const missing = described.filter((name) => !(name in core) && !['destroy', 'constructor', 'fromCode'].includes(name));
  expect(missing).toEqual([]);
});
