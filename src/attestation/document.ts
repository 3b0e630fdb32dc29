/**
 * The attestation document inside the signature.
 *
 * @source "Nitro Enclaves Attestation Process" §2.2 and §3.2.2 (aws-nitro-enclaves-nsm-api); for `nitrotpm_pcrs` the
 *   EC2 User Guide, "Validate a NitroTPM Attestation Document", which otherwise describes the same structure
 */
import { demand } from './attestation-error.ts';
import { decodeCbor } from './cbor.ts';

const MAX_PAYLOAD_BYTES = 16_384;
const MAX_CERTIFICATE_BYTES = 1024;
/** Of `public_key`, `user_data` and `nonce`: the specification says 512 in one place and 1024 in another. */
const MAX_DATA_BYTES = 1024;
const MAX_PCRS = 32;
const PCR_BYTES: readonly number[] = [32, 48, 64];

export interface AttestationDocument {
  readonly source: 'NitroEnclave' | 'NitroTPM';
  /** Names the enclave or the TPM, beginning with the id of the instance. */
  readonly moduleId: string;
  readonly timestampMs: number;
  /** Platform configuration registers by index, each of 32, 48 or 64 bytes. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** X.509, DER: of the key that signed the document. */
  readonly certificate: Uint8Array;
  /** X.509, DER: from the root down to the issuer of `certificate`. */
  readonly cabundle: readonly Uint8Array[];
  readonly publicKey: Uint8Array | undefined;
  readonly userData: Uint8Array | undefined;
  readonly nonce: Uint8Array | undefined;
}

/** Unknown members are ignored. @throws AttestationError for a payload that breaks a rule of the specification */
export function parseDocument(payload: Uint8Array): AttestationDocument {
  demand(payload.length <= MAX_PAYLOAD_BYTES, 'is too large');
  const members = decodeCbor(payload);
  demand(members instanceof Map, 'is not a map');
  const moduleId: unknown = members.get('module_id');
  demand(typeof moduleId === 'string' && moduleId !== '', 'has no module_id');
  demand(members.get('digest') === 'SHA384', 'has another digest than SHA384');
  const timestampMs: unknown = members.get('timestamp');
  demand(Number.isSafeInteger(timestampMs) && (timestampMs as number) > 0, 'has no valid timestamp');
  return {
    ...parseRegisters(members),
    moduleId,
    timestampMs: timestampMs as number,
    certificate: parseCertificateBytes(members.get('certificate'), 'certificate'),
    cabundle: parseBundle(members.get('cabundle')),
    publicKey: parseData(members, 'public_key', 1),
    userData: parseData(members, 'user_data', 0),
    nonce: parseData(members, 'nonce', 0),
  };
}

function parseRegisters(members: Map<unknown, unknown>): Pick<AttestationDocument, 'source' | 'pcrs'> {
  const [ofEnclave, ofTpm] = [members.get('pcrs'), members.get('nitrotpm_pcrs')];
  demand((ofEnclave === undefined) !== (ofTpm === undefined), 'has not exactly one of pcrs and nitrotpm_pcrs');
  const registers = ofEnclave ?? ofTpm;
  demand(registers instanceof Map && registers.size >= 1 && registers.size <= MAX_PCRS, 'has no valid map of PCRs');
  for (const [index, value] of registers as Map<unknown, unknown>) {
    demand(Number.isInteger(index) && (index as number) >= 0 && (index as number) < MAX_PCRS, 'has a wrong PCR index');
    demand(value instanceof Uint8Array && PCR_BYTES.includes(value.length), 'has a PCR of the wrong length');
  }
  return {
    source: ofEnclave === undefined ? 'NitroTPM' : 'NitroEnclave',
    pcrs: registers as ReadonlyMap<number, Uint8Array>,
  };
}

function parseBundle(bundle: unknown): readonly Uint8Array[] {
  demand(Array.isArray(bundle) && bundle.length > 0, 'has no cabundle');
  return bundle.map((certificate: unknown) => parseCertificateBytes(certificate, 'cabundle'));
}

function parseCertificateBytes(value: unknown, name: string): Uint8Array {
  demand(
    value instanceof Uint8Array && value.length >= 1 && value.length <= MAX_CERTIFICATE_BYTES,
    `has no valid ${name}`,
  );
  return value;
}

/** The specification forbids null, yet the hypervisor writes it for what the enclave did not give. */
function parseData(members: Map<unknown, unknown>, name: string, minBytes: number): Uint8Array | undefined {
  const value = members.get(name) ?? undefined;
  demand(
    value === undefined || (value instanceof Uint8Array && value.length >= minBytes && value.length <= MAX_DATA_BYTES),
    `has no valid ${name}`,
  );
  return value;
}
