/** Key material on its way into the service, encrypted by node:crypto as the owner of the material would. */
import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import {
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type AlgorithmSpec,
  type GetParametersForImportCommandOutput,
  type ImportKeyMaterialCommandInput,
  type ImportKeyMaterialCommandOutput,
  type KMSClient,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms';
import { sm2Encrypt } from './sm2-encrypt.ts';

/** RFC 5649 §3. */
const KWP_INITIAL_VALUE = Buffer.from('a65959a6', 'hex');

function oaep(spki: Uint8Array, oaepHash: string, plaintext: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
}

/** AES-256 key wrap with padding. */
export function wrapPadded(kek: Uint8Array, material: Uint8Array): Buffer {
  const cipher = createCipheriv('id-aes256-wrap-pad', kek, KWP_INITIAL_VALUE);
  return Buffer.concat([cipher.update(material), cipher.final()]);
}

/** Encrypts to an RSA or SM2 key as the wrapping algorithm says. */
export function wrapMaterial(algorithm: AlgorithmSpec, spki: Uint8Array, material: Uint8Array): Buffer {
  if (algorithm === 'SM2PKE') {
    return sm2Encrypt(spki, material);
  }
  const oaepHash = algorithm.endsWith('SHA_256') ? 'sha256' : 'sha1';
  if (!algorithm.startsWith('RSA_AES_KEY_WRAP')) {
    return oaep(spki, oaepHash, material);
  }
  const kek = randomBytes(32);
  return Buffer.concat([oaep(spki, oaepHash, kek), wrapPadded(kek, material)]);
}

/** The parameters of one import, as a test may want to misuse them. */
export interface Parameters {
  readonly token: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly response: GetParametersForImportCommandOutput;
}

export async function parametersFor(
  kms: KMSClient,
  KeyId: string,
  WrappingAlgorithm: AlgorithmSpec = 'RSAES_OAEP_SHA_256',
  spec: WrappingKeySpec = 'RSA_2048',
): Promise<Parameters> {
  const response = await kms.send(
    new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec: spec }),
  );
  const { ImportToken: token = new Uint8Array(), PublicKey: publicKey = new Uint8Array() } = response;
  return { token, publicKey, response };
}

type ImportOptions = Omit<Partial<ImportKeyMaterialCommandInput>, 'KeyId' | 'EncryptedKeyMaterial'> & {
  readonly algorithm?: AlgorithmSpec;
  readonly wrappingSpec?: WrappingKeySpec;
};

/** Imports material that never expires, unless the options say otherwise. */
export async function importMaterial(
  kms: KMSClient,
  KeyId: string,
  material: Uint8Array,
  { algorithm = 'RSAES_OAEP_SHA_256', wrappingSpec, ...options }: ImportOptions = {},
): Promise<ImportKeyMaterialCommandOutput> {
  const spec = wrappingSpec ?? (algorithm === 'SM2PKE' ? 'SM2' : 'RSA_2048');
  const { token, publicKey } = await parametersFor(kms, KeyId, algorithm, spec);
  return kms.send(
    new ImportKeyMaterialCommand({
      KeyId,
      ImportToken: token,
      EncryptedKeyMaterial: wrapMaterial(algorithm, publicKey, material),
      ExpirationModel: options.ValidTo === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
      ...options,
    }),
  );
}
