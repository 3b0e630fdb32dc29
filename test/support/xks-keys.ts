/** Every kind of key that a proxy of ours can stand before, for tests that must hold for all of them. */
import { randomUUID } from 'node:crypto';
import { loadCore } from '../../src/core/index.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import type { ExternalKey, ExternalKeyManager, ServedKey } from '../../src/xks/proxy/external-key.ts';
import { SoftwareKey, SoftwareKeyManager } from '../../src/xks/proxy/software-key.ts';
import { createTokenKey, findTokenKey, TokenKeyManager } from '../../src/xks/proxy/token-key.ts';
import { createSoftHsm, missingSoftHsm } from './softhsm.ts';
import { PATIENT_MS } from './xks.ts';

/** A key manager at work. */
export interface KeySource {
  readonly manager: ExternalKeyManager;
  /** A fresh key. */
  make(): Promise<ExternalKey>;
  close(): Promise<void>;
}

export interface KeyKind {
  readonly name: string;
  /** Why it cannot be tested here, or undefined when it can. */
  readonly missing: string | undefined;
  /** Bytes of metadata beside a ciphertext. */
  readonly metadataBytes: number;
  open(): Promise<KeySource>;
}

const core = loadCore();

export const KEY_KINDS: readonly KeyKind[] = [
  {
    name: 'software keys',
    missing: undefined,
    metadataBytes: 17,
    open: () =>
      Promise.resolve({
        manager: new SoftwareKeyManager(core),
        make: () => Promise.resolve(new SoftwareKey(core, core.generateKey('backing'))),
        close: () => Promise.resolve(),
      }),
  },
  { name: 'HSM keys', missing: missingSoftHsm, metadataBytes: 0, open: openTokenKeys },
];

async function openTokenKeys(): Promise<KeySource> {
  const hsm = createSoftHsm();
  const { label, pin } = hsm.addToken('external keys');
  hsm.useInThisProcess();
  const token = await openPkcs11Token({
    modulePath: hsm.module,
    token: { label },
    pin: Buffer.from(pin),
    profile: 'softhsm',
    timeoutMs: PATIENT_MS,
  });
  return {
    manager: new TokenKeyManager(token),
    make: async () => {
      const keyId = randomUUID();
      await createTokenKey(core, token, keyId);
      return findTokenKey(core, token, keyId);
    },
    close: async () => {
      await token.close();
      hsm.remove();
    },
  };
}

/** A fresh key that is served without conditions, unless the test has some. */
export async function servedKey(source: KeySource, conditions: Partial<ServedKey> = {}): Promise<ServedKey> {
  return { key: await source.make(), usage: ['ENCRYPT', 'DECRYPT'], isEnabled: true, allow: undefined, ...conditions };
}
