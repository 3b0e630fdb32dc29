/** What a proxy does for a request whose signature was verified. */
import { KmsServiceError } from '../../base/errors.ts';
import type { CryptoCore } from '../../core/crypto-core.ts';
import { parseRequest, type StructureSchema } from '../../service/schema.ts';
import {
  decryptRequest,
  encryptRequest,
  healthRequest,
  integrityValue,
  isIvLength,
  metadataRequest,
  type HealthAnswer,
  type MetadataAnswer,
} from '../proxy-api.ts';
import type { Fact } from './allow-list.ts';
import type { ExternalKeyManager, ExternalKeyUsage, ServedKey } from './external-key.ts';
import { ProxyError } from './proxy-error.ts';

/** What a proxy serves. */
export interface ServedKeys {
  /** By external key id. */
  readonly keys: ReadonlyMap<string, ServedKey>;
  /** At least one, at most ten. */
  readonly managers: readonly ExternalKeyManager[];
  /** Proxies that share the load, this one among them. */
  readonly fleetSize: number;
}

/** Operations on a key, by the last part of their URI. */
export const KEY_OPERATIONS = ['metadata', 'encrypt', 'decrypt'] as const;
export type KeyOperation = (typeof KEY_OPERATIONS)[number];

const VENDOR = 'Keywright';
const NOTHING = new Uint8Array(0);

/**
 * GetHealthStatus. Whoever asks is told that no key manager works, rather than refused.
 *
 * @param content the body as JSON
 * @throws ProxyError ValidationException, as AWS's own client of proxies wants it
 */
export async function answerHealth({ managers, fleetSize }: ServedKeys, content: unknown): Promise<HealthAnswer> {
  read(healthRequest, content);
  return {
    xksProxyFleetSize: fleetSize,
    xksProxyVendor: VENDOR,
    xksProxyModel: 'Keywright XKS proxy',
    ekmVendor: VENDOR,
    ekmFleetDetails: await Promise.all(managers.map(async (manager) => manager.health())),
  };
}

/**
 * Performs one operation on a key.
 *
 * @param content the body as JSON
 * @returns the answer, whose blobs are base64
 * @throws ProxyError
 */
export async function answerKeyOperation(
  core: CryptoCore,
  served: ServedKeys,
  { operation, keyId }: { readonly operation: KeyOperation; readonly keyId: string },
  content: unknown,
): Promise<object> {
  const find = (facts: Partial<Readonly<Record<Fact, string>>>): ServedKey => requireKey(served, keyId, facts);
  switch (operation) {
    case 'metadata': {
      const { requestMetadata } = read(metadataRequest, content);
      return describeKey(keyId, find(requestMetadata));
    }
    case 'encrypt': {
      const request = read(encryptRequest, content);
      const key = requireUsable(find(request.requestMetadata), 'ENCRYPT');
      return encrypt(core, key, request);
    }
    case 'decrypt': {
      const request = read(decryptRequest, content);
      return decrypt(requireUsable(find(request.requestMetadata), 'DECRYPT'), request);
    }
  }
}

/** @throws ProxyError KeyNotFoundException when the key manager has lost the key */
async function describeKey(keyId: string, { key, usage, isEnabled }: ServedKey): Promise<MetadataAnswer> {
  if (!(await key.isPresent())) {
    throw keyNotFound(keyId);
  }
  return { keySpec: 'AES_256', keyUsage: usage, keyStatus: isEnabled ? 'ENABLED' : 'DISABLED' };
}

/**
 * A request that asks for the integrity value gets an answer that was decrypted once, after the value was computed: the
 * key must be for that as well.
 */
async function encrypt(
  core: CryptoCore,
  served: ServedKey,
  request: ReturnType<(typeof encryptRequest)['parse']>,
): Promise<object> {
  const { plaintext, additionalAuthenticatedData: additionalData = NOTHING } = request;
  const hasIntegrityValue = request.ciphertextDataIntegrityValueAlgorithm !== undefined;
  const { key } = hasIntegrityValue ? requireUsable(served, 'DECRYPT') : served;
  const sealed = await key.encrypt(plaintext, additionalData);
  const answer = {
    ciphertext: toBase64(sealed.ciphertext),
    initializationVector: toBase64(sealed.iv),
    authenticationTag: toBase64(sealed.tag),
    ...(sealed.metadata.length === 0 ? {} : { ciphertextMetadata: toBase64(sealed.metadata) }),
  };
  if (!hasIntegrityValue) {
    return answer;
  }
  const ciphertextDataIntegrityValue = toBase64(integrityValue(core, additionalData, sealed));
  const opened = await key.decrypt(sealed, additionalData);
  const isSame = opened !== undefined && Buffer.from(plaintext).equals(opened);
  opened?.fill(0);
  if (!isSame) {
    throw new ProxyError('InternalException', 'The external key does not decrypt what it encrypted.');
  }
  return { ...answer, ciphertextDataIntegrityValue };
}

async function decrypt({ key }: ServedKey, request: ReturnType<(typeof decryptRequest)['parse']>): Promise<object> {
  const { ciphertext, initializationVector: iv, authenticationTag: tag } = request;
  if (!isIvLength(iv.length)) {
    throw new ProxyError('ValidationException', 'The initialization vector must have 12 or 16 bytes.');
  }
  const sealed = { ciphertext, iv, tag, metadata: request.ciphertextMetadata ?? NOTHING };
  const plaintext = await key.decrypt(sealed, request.additionalAuthenticatedData ?? NOTHING);
  if (plaintext === undefined) {
    throw new ProxyError('InvalidCiphertextException', 'Ciphertext and additional authenticated data do not fit.');
  }
  const answer = { plaintext: toBase64(plaintext) };
  plaintext.fill(0);
  return answer;
}

/** @throws ProxyError KeyNotFoundException, AccessDeniedException */
function requireKey({ keys }: ServedKeys, keyId: string, facts: Partial<Readonly<Record<Fact, string>>>): ServedKey {
  const found = keys.get(keyId);
  if (found === undefined) {
    throw keyNotFound(keyId);
  }
  const denied = found.allow?.findDenied(facts);
  if (denied !== undefined) {
    throw new ProxyError('AccessDeniedException', `The external key is not for this ${denied}.`);
  }
  return found;
}

function keyNotFound(keyId: string): ProxyError {
  return new ProxyError('KeyNotFoundException', `There is no external key ${keyId}.`);
}

/** @throws ProxyError InvalidStateException, InvalidKeyUsageException */
function requireUsable(key: ServedKey, usage: ExternalKeyUsage): ServedKey {
  if (!key.isEnabled) {
    throw new ProxyError('InvalidStateException', 'The external key is disabled.');
  }
  if (!key.usage.includes(usage)) {
    throw new ProxyError('InvalidKeyUsageException', `The external key is not for ${usage}.`);
  }
  return key;
}

/** @throws ProxyError ValidationException */
function read<T>(schema: StructureSchema<T>, content: unknown): T {
  try {
    return parseRequest(schema, content, 'json');
  } catch (error) {
    if (error instanceof KmsServiceError) {
      throw new ProxyError('ValidationException', error.message);
    }
    throw error;
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
