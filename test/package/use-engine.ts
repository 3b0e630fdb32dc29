/** A program with the engine and the client of the installed package. Arguments: the binding, a data directory. */
import assert from 'node:assert/strict';
import { Engine, rootOf, type CallContext } from 'keywright';
import { createRequestHandler, type SdkRequest } from 'keywright/client';

const [, , binding = '', dataDirectory = ''] = process.argv;
const context: CallContext = { caller: rootOf('111122223333'), region: 'eu-central-1' };
const plaintext = Buffer.from('what outlives a restart');

async function encrypt(): Promise<Uint8Array> {
  const engine = await Engine.open({ dataDirectory });
  assert.equal(engine.core.info().binding, binding);
  const { KeyMetadata } = await engine.call('CreateKey', {}, context);
  assert.equal(KeyMetadata.Origin, 'AWS_KMS');
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: KeyMetadata.KeyId, Plaintext: plaintext }, context);
  await engine.close();
  return CiphertextBlob;
}

/** Through the client, as the SDK calls it. */
async function decrypt(ciphertext: Uint8Array): Promise<Uint8Array> {
  const engine = await Engine.open({ dataDirectory });
  const request: SdkRequest = {
    headers: { 'x-amz-target': 'TrentService.Decrypt' },
    body: JSON.stringify({ CiphertextBlob: Buffer.from(ciphertext).toString('base64') }),
  };
  const { response } = await createRequestHandler(engine, context).handle(request);
  await engine.close();
  assert.equal(response.statusCode, 200);
  const output = JSON.parse(Buffer.from(response.body).toString()) as { Plaintext: string };
  return Buffer.from(output.Plaintext, 'base64');
}

assert.deepEqual(await decrypt(await encrypt()), plaintext);
