import type { ImportedMaterials, ImportedPublicKey, MaterialPresence } from '../keys/imported-materials.ts';

/** JSON leaves out members that are undefined; bytes are base64. */
interface StoredImported {
  readonly fingerprintKey: string;
  readonly regionKeyVersion: number;
  readonly materials: readonly {
    readonly materialId: string;
    readonly description?: string;
    readonly rotatedMs?: number;
    readonly isPending: boolean;
    readonly presence?: { readonly validToMs?: number };
    readonly publicKey?: { readonly spki: string; readonly mac: string };
  }[];
}

/** The column `imported` of a key. */
export function encodeImported({
  fingerprintKey: { wrapped, regionKeyVersion },
  materials,
}: ImportedMaterials): string {
  const stored: unknown = {
    fingerprintKey: encode(wrapped),
    regionKeyVersion,
    materials: materials.map((material) => ({ ...material, publicKey: encodePublicKey(material.publicKey) })),
  };
  return JSON.stringify(stored);
}

export function decodeImported(text: string): ImportedMaterials {
  const { fingerprintKey, regionKeyVersion, materials } = JSON.parse(text) as StoredImported;
  return {
    fingerprintKey: { wrapped: decode(fingerprintKey), regionKeyVersion },
    materials: materials.map(({ materialId, description, rotatedMs, isPending, presence, publicKey }) => ({
      materialId,
      description,
      rotatedMs,
      isPending,
      presence: presence === undefined ? undefined : ({ validToMs: presence.validToMs } satisfies MaterialPresence),
      publicKey: publicKey === undefined ? undefined : { spki: decode(publicKey.spki), mac: decode(publicKey.mac) },
    })),
  };
}

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const decode = (text: string): Uint8Array => Buffer.from(text, 'base64');

function encodePublicKey(publicKey: ImportedPublicKey | undefined): StoredImported['materials'][number]['publicKey'] {
  return publicKey === undefined ? undefined : { spki: encode(publicKey.spki), mac: encode(publicKey.mac) };
}
