/** What an AWS SDK sees, the same through every door of the engine. */
import {
  CreateKeyCommand,
  EncryptCommand,
  type CreateKeyCommandInput,
  type KeyMetadata,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe } from 'vitest';
import { DOORS, type Door, type DoorOptions } from '../support/doors.ts';

export type CreatedKey = KeyMetadata & { readonly KeyId: string; readonly Arn: string };

/** An open door with a client of ACCOUNT in REGION, and the two calls that nearly every test begins with. */
export interface Suite {
  readonly door: Door;
  readonly kms: KMSClient;
  /** Takes a client that signs with the present time, after the clock was moved. */
  renewClient(): void;
  createKey(input?: CreateKeyCommandInput): Promise<CreatedKey>;
  encrypt(KeyId: string, text: string, EncryptionContext?: Record<string, string>): Promise<Uint8Array>;
}

/** Declares a group of tests once for every door; each has an engine of its own. */
export function describeKms(title: string, declare: (suite: Suite) => void, options?: DoorOptions): void {
  describe.each(DOORS)(`${title}, %s`, (_name, open) => {
    let door: Door | undefined;
    let kms: KMSClient | undefined;
    const suite: Suite = {
      get door() {
        return required(door);
      },
      get kms() {
        return required(kms);
      },
      renewClient: () => {
        kms = required(door).client();
      },
      createKey: async (input = {}) => {
        const { KeyMetadata: metadata } = await suite.kms.send(new CreateKeyCommand(input));
        const { KeyId, Arn } = required(metadata);
        return { ...metadata, KeyId: required(KeyId), Arn: required(Arn) };
      },
      encrypt: async (KeyId, text, EncryptionContext) => {
        const command = new EncryptCommand({ KeyId, Plaintext: Buffer.from(text), EncryptionContext });
        return required((await suite.kms.send(command)).CiphertextBlob);
      },
    };
    beforeAll(async () => {
      door = await open(options);
      kms = door.client();
    });
    afterAll(async () => {
      await door?.close();
    });
    declare(suite);
  });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new Error('the answer lacks a member, or the suite is not open');
  }
  return value;
}
