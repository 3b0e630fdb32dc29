import type { ImportedMaterial, ImportedMaterials, MaterialPresence } from '../keys/imported-materials.ts';

/** JSON leaves out members that are undefined. */
interface StoredImported {
  /** Base64. */
  readonly fingerprintKey: string;
  readonly regionKeyVersion: number;
  readonly materials: readonly {
    readonly materialId: string;
    readonly description?: string;
    readonly rotatedMs?: number;
    readonly isPending: boolean;
    readonly presence?: { readonly validToMs?: number };
  }[];
}

/** The column `imported` of a key. */
export function encodeImported({
  fingerprintKey: { wrapped, regionKeyVersion },
  materials,
}: ImportedMaterials): string {
  return JSON.stringify({ fingerprintKey: Buffer.from(wrapped).toString('base64'), regionKeyVersion, materials });
}

export function decodeImported(text: string): ImportedMaterials {
  const { fingerprintKey, regionKeyVersion, materials } = JSON.parse(text) as StoredImported;
  return {
    fingerprintKey: { wrapped: Buffer.from(fingerprintKey, 'base64'), regionKeyVersion },
    materials: materials.map(({ materialId, description, rotatedMs, isPending, presence }): ImportedMaterial => ({
      materialId,
      description,
      rotatedMs,
      isPending,
      presence: presence === undefined ? undefined : ({ validToMs: presence.validToMs } satisfies MaterialPresence),
    })),
  };
}
