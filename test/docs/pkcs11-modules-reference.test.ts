import { expect, it } from 'vitest';
import { renderModulesReference } from './pkcs11-modules-reference.ts';

it('docs/reference/pkcs11-modules.md says what the modules do', async () => {
  await expect(renderModulesReference()).resolves.toMatchFileSnapshot('../../docs/reference/pkcs11-modules.md');
}, 120_000);
