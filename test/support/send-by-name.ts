import * as sdk from '@aws-sdk/client-kms';
import type { OperationName } from '../../src/service/registry.ts';

type AnyCommand = new (input: object) => sdk.ListKeysCommand;

/** Sends a request of whatever operation through the AWS SDK. */
export function sendByName(client: sdk.KMSClient, name: OperationName, input: object): Promise<object> {
  const Command = (sdk as unknown as Readonly<Record<string, AnyCommand>>)[`${name}Command`];
  if (Command === undefined) {
    throw new Error(`the AWS SDK has no ${name}Command`);
  }
  return client.send(new Command(input));
}
