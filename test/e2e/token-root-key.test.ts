/** The server as a process whose root key is in an HSM, of which another process changes the PIN. */
import { CreateKeyCommand, DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildShim, readCounts, shimEnvironment, writeFaults } from '../support/pkcs11-shim.ts';
import { freePort, runKeywright, startServer, type ServerProcess } from '../support/server-process.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { changePin, clientOf, CREDENTIALS_ENVIRONMENT } from '../support/token-server.ts';

const PIN = 'root-key-pin';
const NEW_PIN = 'another-pin';
const TEST_MS = 60_000;

describe.skipIf(missingSoftHsm !== undefined)('a server with its root key in an HSM', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let hsm: SoftHsm;
  let server: ServerProcess;
  let clients: KMSClient[];

  beforeEach(async () => {
    folder = temporaryFolder();
    hsm = createSoftHsm();
    hsm.addToken('root', { pin: PIN });
    writeFileSync(pinFile(), `${PIN}\n`);
    clients = [];
    server = await start();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await server.kill();
    hsm.remove();
    folder.remove();
  });

  const file = (name: string): string => join(folder.path, name);
  const pinFile = (): string => file('pin');
  const logins = (): number => readCounts(file('counts'))['C_Login']?.calls ?? 0;
  /** Calls of the module so far. */
  const allCalls = (): number => Object.values(readCounts(file('counts'))).reduce((sum, { calls }) => sum + calls, 0);
  const environment = (): Record<string, string> => ({
    ...CREDENTIALS_ENVIRONMENT,
    ...hsm.environment,
    ...shimEnvironment({ module: hsm.module, isSerial: true, faults: file('faults'), counts: file('counts') }),
    KEYWRIGHT_ROOT_KEY: 'pkcs11',
    KEYWRIGHT_PKCS11_MODULE: buildShim(),
    KEYWRIGHT_PKCS11_TOKEN_LABEL: 'root',
    KEYWRIGHT_PKCS11_PIN_FILE: pinFile(),
    KEYWRIGHT_PKCS11_PROFILE: 'softhsm',
  });

  async function start(): Promise<ServerProcess> {
    return startServer(file('data'), await freePort(), environment());
  }

  function client(region: string): KMSClient {
    const made = clientOf(server.url, region);
    clients.push(made);
    return made;
  }

  /** Makes a key and encrypts under it. */
  async function seal(region: string): Promise<Uint8Array> {
    const kms = client(region);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from(region) };
    return (await kms.send(new EncryptCommand(input))).CiphertextBlob ?? new Uint8Array();
  }

  async function open(region: string, CiphertextBlob: Uint8Array): Promise<string> {
    const { Plaintext } = await client(region).send(new DecryptCommand({ CiphertextBlob }));
    return Buffer.from(Plaintext ?? []).toString();
  }

  it(
    'works on without the HSM when the PIN is changed, and uses its session for a new Region',
    async () => {
      const blob = await seal('us-east-1');
      changePin(hsm, 'root', PIN, NEW_PIN);
      const before = allCalls();
      expect(await open('us-east-1', blob)).toBe('us-east-1');
      await seal('us-east-1');
      expect(allCalls()).toBe(before);
      expect(await open('eu-central-1', await seal('eu-central-1'))).toBe('eu-central-1');
      expect(allCalls()).toBeGreaterThan(before);
    },
    TEST_MS,
  );

  it(
    'tries the old PIN once when it has to log in again, however many requests need the HSM',
    async () => {
      const blob = await seal('us-east-1');
      changePin(hsm, 'root', PIN, NEW_PIN);
      // Until the module is finalised: SoftHSM2 compares with the PIN that it found in C_Initialize.
      writeFaults(file('faults'), 'C_EncryptInit fail CKR_DEVICE_ERROR first 3');
      const before = logins();
      for (let request = 0; request < 5; request++) {
        await expect(seal('eu-central-1')).rejects.toMatchObject({ name: 'KMSInternalException' });
      }
      expect(logins()).toBe(before + 1);
      expect(await open('us-east-1', blob)).toBe('us-east-1');
    },
    TEST_MS,
  );

  it(
    'does not start with the old PIN, which it tries once, says why, and starts with the new one',
    async () => {
      const blob = await seal('us-east-1');
      changePin(hsm, 'root', PIN, NEW_PIN);
      await server.stop();
      const before = logins();
      const refused = await runKeywright(file('data'), ['server'], environment());
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toContain('the HSM of the root key cannot be used');
      expect(refused.stderr).toContain('the token refused the PIN, which is not tried again (CKR_PIN_INCORRECT');
      expect(refused.stderr).not.toContain(PIN);
      // An explanation, and no stack.
      expect(refused.stderr.trimEnd()).not.toContain('\n');
      expect(logins()).toBe(before + 1);
      writeFileSync(pinFile(), `${NEW_PIN}\n`);
      server = await start();
      expect(await open('us-east-1', blob)).toBe('us-east-1');
    },
    TEST_MS,
  );
});
