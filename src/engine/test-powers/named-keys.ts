import { MESSAGE_OVERHEAD_BYTES } from '../../core/crypto-core.ts';
import { parseKmsArn } from '../../base/arn.ts';
import { parseBlobHeader } from '../../ciphertext/blob-header.ts';
import { ALIAS_PREFIX } from '../../keys/alias.ts';
import type { ServicePorts } from '../../service/pipeline.ts';
import type { RequestContext } from '../../service/target.ts';

const KEY_MEMBERS = ['KeyId', 'TargetKeyId', 'SourceKeyId', 'DestinationKeyId'];
const KEY_PREFIX = 'key/';

/** The ids of the keys that a request names: by id, ARN or alias, or in the header of its ciphertext. */
export async function keysNamedBy(
  input: object,
  request: RequestContext,
  { aliases }: Pick<ServicePorts, 'aliases'>,
): Promise<ReadonlySet<string>> {
  const members = input as Readonly<Record<string, unknown>>;
  const ids = new Set<string>();
  for (const member of KEY_MEMBERS) {
    const identifier = members[member];
    if (typeof identifier !== 'string') {
      continue;
    }
    const { accountId, resource } = parseKmsArn(identifier) ?? { ...request.caller, resource: identifier };
    if (resource.startsWith(ALIAS_PREFIX)) {
      const alias = await aliases.find(request.region, accountId, resource);
      ids.add(alias?.targetKeyId ?? resource);
    } else {
      ids.add(resource.startsWith(KEY_PREFIX) ? resource.slice(KEY_PREFIX.length) : resource);
    }
  }
  const { CiphertextBlob: blob } = members;
  const header = blob instanceof Uint8Array ? parseBlobHeader(blob, MESSAGE_OVERHEAD_BYTES) : undefined;
  if (header !== undefined) {
    ids.add(header.keyId);
  }
  return ids;
}
