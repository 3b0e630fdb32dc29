/** `keywright hsm` on the PKCS#11 modules of several makers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withModule } from '../../src/hsm/provisioning/module.ts';
import { withLogin } from '../../src/hsm/provisioning/sessions.ts';
import { findToken } from '../../src/hsm/provisioning/slots.ts';
import type { ListedKey } from '../../src/hsm/provisioning/key-listing.ts';
import type { CheckResult } from '../../src/hsm/provisioning/self-test.ts';
import type { HsmStatus } from '../../src/hsm/provisioning/status.ts';
import { runKeywright, type CommandResult } from '../support/server-process.ts';
import {
  hsmEnvironment,
  PIN,
  PKCS11_MODULES,
  TOKEN_LABEL,
  type BlankModule,
  type Pkcs11Module,
} from '../support/pkcs11-modules.ts';

const EC_P256 = Buffer.from('06082a8648ce3d030107', 'hex');

/** Makes an AES-256 key that never leaves, where the module makes such keys, and a key pair on P-256. */
function makeTokenKeys({ modulePath, initArgs, env }: BlankModule, isMakingAes: boolean): void {
  Object.assign(process.env, env);
  const token = { token: true, private: true, sensitive: true, extractable: false };
  withModule({ modulePath, initArgs }, (module) =>
    withLogin(module, findToken(module, { tokenLabel: TOKEN_LABEL }), 'user', PIN, (session) => {
      if (isMakingAes) {
        const usage = { encrypt: true, decrypt: true, valueLen: 32 };
        session.generateKey(0x1080, { ...token, ...usage, label: 'one', id: Buffer.from('0a0b', 'hex') });
      }
      session.generateKeyPair(
        0x1040,
        { token: true, private: false, paramsEC: EC_P256, verify: true, label: 'two', id: Buffer.from('02', 'hex') },
        { ...token, sign: true, label: 'two', id: Buffer.from('02', 'hex') },
      );
    }),
  );
}

describe.each(PKCS11_MODULES)('keywright hsm on $name', (module: Pkcs11Module) => {
  describe.skipIf(module.absent)(module.absent ?? 'as a child process', () => {
    let blank: BlankModule;

    beforeAll(async () => {
      blank = await module.prepare();
    });
    afterAll(async () => {
      await blank.remove();
    });

    function hsm(args: readonly string[], environment: Record<string, string> = {}): Promise<CommandResult> {
      return runKeywright('', ['hsm', ...args], { ...hsmEnvironment(blank), ...environment });
    }

    async function ask<T>(...args: readonly string[]): Promise<T> {
      const { status, stdout, stderr } = await hsm([...args, '--json']);
      expect(status, stderr).toBe(0);
      return JSON.parse(stdout) as T;
    }

    it('initialises a token once, and finds it again by its label', async () => {
      const made = await hsm(['init', '--json']);
      expect(made).toMatchObject({ status: 0 });
      const { label, slot } = JSON.parse(made.stdout) as { readonly label: string; readonly slot: number };
      expect(label).toBe(TOKEN_LABEL);
      const { library, token } = await ask<HsmStatus>('status');
      expect(library.path).toBe(blank.modulePath);
      expect(token).toMatchObject({ slot, label, isInitialized: true, hasUserPin: true });
      const again = await hsm(['init', '--slot', String(slot), '--token-label', 'other']);
      expect(again).toMatchObject({ status: 1, stdout: '' });
      expect(again.stderr).toContain(`the token "${TOKEN_LABEL}" in slot ${slot} is initialised`);
    });

    it('says what a wrong PIN is', async () => {
      const refused = await hsm(['keys'], { KEYWRIGHT_PKCS11_PIN: 'not-the-pin' });
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toMatch(
        /^keywright: logging in as user of "keys": the module answered CKR_PIN_INCORRECT/m,
      );
      expect(refused.stderr).not.toContain('not-the-pin');
    });

    it('lists the keys of the token', async () => {
      expect(await ask<readonly ListedKey[]>('keys')).toEqual([]);
      makeTokenKeys(blank, module.profile !== 'tpm2');
      const flags = { sensitive: true, extractable: false, neverExtractable: true };
      const curve = { type: 'EC', bits: 256, variant: 'P-256', id: '02', label: 'two' };
      const expected: object[] = [
        { id: '0a0b', label: 'one', class: 'secret', type: 'AES', bits: 256, ...flags },
        { ...curve, class: 'private', ...flags },
        { ...curve, class: 'public' },
      ];
      expect(await ask<readonly ListedKey[]>('keys')).toEqual(module.profile === 'tpm2' ? expected.slice(1) : expected);
    });

    it('tests the mechanisms, and leaves the token as it was', async () => {
      const before = await ask<readonly ListedKey[]>('keys');
      const results = await ask<readonly CheckResult[]>('test');
      expect(results.filter(({ outcome }) => outcome === 'FAILED')).toEqual([]);
      const works = results.filter(({ outcome }) => outcome === 'ok').map(({ name }) => name);
      if (module.profile === 'tpm2') {
        expect(works).toEqual([]);
      } else {
        expect(works).toEqual(expect.arrayContaining(['AES-256-GCM', 'AES-KW', 'HMAC-SHA-256', 'ECDSA P-256']));
      }
      expect(works.includes('ML-DSA-65')).toBe(module.profile === 'kryoptic');
      expect(works.includes('RSA-OAEP-SHA-256')).toBe(['softokn', 'kryoptic'].includes(module.profile));
      expect(await ask<readonly ListedKey[]>('keys')).toEqual(before);
    });

    it('tells the quirks that the module is known for', async () => {
      const results = await ask<readonly CheckResult[]>('test');
      const detailOf = (name: string): string | undefined => results.find((each) => each.name === name)?.detail;
      const quirks = {
        softhsm: { 'AES-256-GCM': /CKR_GENERAL_ERROR/, 'AES-KW with padding': /AES-KWP of the key and zeros/ },
        softokn: { 'AES-KW with padding': /PKCS#7 padding and RFC 3394/, 'HMAC-SHA-256': /a wrong MAC gives CKR_/ },
        kryoptic: { 'ECDSA secp256k1': /makes no key for it/ },
        tpm2: { 'ECDSA P-256': /makes no key for it: CKR_ATTRIBUTE_VALUE_INVALID/ },
      }[module.profile];
      for (const [name, text] of Object.entries(quirks)) {
        expect(detailOf(name), name).toMatch(text);
      }
    });
  });
});
