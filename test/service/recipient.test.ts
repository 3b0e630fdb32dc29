/** What the access decision learns of a recipient, and when. */
import { describe, expect, it } from 'vitest';
import { parseTrustedRoots } from '../../src/attestation/trusted-roots.ts';
import { KmsServiceError } from '../../src/base/errors.ts';
import { loadCore } from '../../src/core/index.ts';
import { administratorOf } from '../../src/engine/engine.ts';
import { generateRandom } from '../../src/service/operations/generate-random.ts';
import { runOperation, type ServicePorts } from '../../src/service/pipeline.ts';
import type { AccessRequest } from '../../src/service/ports.ts';
import { Nitro } from '../support/nitro.ts';

const nitro = await Nitro.create();
const core = loadCore();
const spki = core.exportPublicKey(core.generateKeyPair('rsa2048'));
const decided: AccessRequest[] = [];
const ports = {
  access: {
    decide: (request: AccessRequest) => {
      decided.push(request);
      return { effect: 'allow' };
    },
  },
  random: core,
  envelopes: core,
  attestationRoots: parseTrustedRoots(nitro.rootPem),
} as unknown as ServicePorts;

/** The requests for access that GenerateRandom makes. */
function decisionsOn(document: Uint8Array | undefined): readonly AccessRequest[] {
  decided.length = 0;
  const recipient = document === undefined ? {} : { Recipient: { AttestationDocument: document } };
  const request = { caller: administratorOf('111122223333'), region: 'us-east-1', nowMs: nitro.nowMs, requestId: 'r' };
  void runOperation(ports, generateRandom, { NumberOfBytes: 1, ...recipient }, 'native', request);
  return decided;
}

describe('the access decision', () => {
  it('learns the PCRs of an enclave, and PCR0 as its image, in lower-case hex', async () => {
    const pcrs = new Map([0, 3, 31].map((index) => [index, new Uint8Array(48).fill(0xa0 + index)]));
    expect(decisionsOn(await nitro.document(spki, { pcrs }))).toMatchObject([
      {
        action: 'kms:GenerateRandom',
        attested: {
          'kms:RecipientAttestation:ImageSha384': 'a0'.repeat(48),
          'kms:RecipientAttestation:PCR0': 'a0'.repeat(48),
          'kms:RecipientAttestation:PCR3': 'a3'.repeat(48),
          'kms:RecipientAttestation:PCR31': 'bf'.repeat(48),
        },
      },
    ]);
    expect(Object.keys(decided[0]?.attested ?? {})).toHaveLength(4);
  });

  it('learns the PCRs of a NitroTPM under names of their own, and no image', async () => {
    const registers = new Map([0, 7].map((index) => [index, new Uint8Array(48).fill(0xa0 + index)]));
    const document = await nitro.document(spki, { pcrs: undefined, nitrotpm_pcrs: registers });
    expect(decisionsOn(document).map(({ attested }) => attested)).toEqual([
      {
        'kms:RecipientAttestation:NitroTPMPCR0': 'a0'.repeat(48),
        'kms:RecipientAttestation:NitroTPMPCR7': 'a7'.repeat(48),
      },
    ]);
  });

  it('learns nothing without a recipient', () => {
    expect(decisionsOn(undefined).map(({ attested }) => attested)).toEqual([{}]);
  });

  it('is not asked about a document that does not verify', async () => {
    const stranger = await Nitro.create();
    const document = await stranger.document(spki, { timestamp: nitro.nowMs });
    expect(() => decisionsOn(document)).toThrow(KmsServiceError);
    expect(decided).toEqual([]);
  });
});
