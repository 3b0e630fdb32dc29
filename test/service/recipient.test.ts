/** What the access decision learns of a recipient, and when. */
import { describe, expect, it } from 'vitest';
import { parseTrustedRoots } from '../../src/attestation/trusted-roots.ts';
import { KmsServiceError } from '../../src/base/errors.ts';
import { loadCore } from '../../src/core/index.ts';
import { rootOf } from '../../src/iam/identities.ts';
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
  const request = {
    caller: rootOf('111122223333'),
    region: 'us-east-1',
    nowMs: nitro.nowMs,
    requestId: 'r',
    origin: {},
  };
  void runOperation(ports, generateRandom, { NumberOfBytes: 1, ...recipient }, 'native', request);
  return decided;
}

/** What conditions on the recipient would find, by the last part of their keys. */
function attestedIn(request: AccessRequest | undefined): Record<string, unknown> {
  const registers = Array.from({ length: 32 }, (_, index) => [`pcr${String(index)}`, `nitrotpmpcr${String(index)}`]);
  const names = ['imagesha384', ...registers.flat()];
  const entries = names.map((name) => [name, request?.values.get(`kms:recipientattestation:${name}`)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

describe('the access decision', () => {
  it('learns the PCRs of an enclave, and PCR0 as its image, in lower-case hex', async () => {
    const pcrs = new Map([0, 3, 31].map((index) => [index, new Uint8Array(48).fill(0xa0 + index)]));
    const [request] = decisionsOn(await nitro.document(spki, { pcrs }));
    expect(request?.action).toBe('kms:GenerateRandom');
    expect(attestedIn(request)).toEqual({
      imagesha384: 'a0'.repeat(48),
      pcr0: 'a0'.repeat(48),
      pcr3: 'a3'.repeat(48),
      pcr31: 'bf'.repeat(48),
    });
  });

  it('learns the PCRs of a NitroTPM under names of their own, and no image', async () => {
    const registers = new Map([0, 7].map((index) => [index, new Uint8Array(48).fill(0xa0 + index)]));
    const document = await nitro.document(spki, { pcrs: undefined, nitrotpm_pcrs: registers });
    expect(decisionsOn(document).map(attestedIn)).toEqual([
      { nitrotpmpcr0: 'a0'.repeat(48), nitrotpmpcr7: 'a7'.repeat(48) },
    ]);
  });

  it('learns nothing without a recipient', () => {
    expect(decisionsOn(undefined).map(attestedIn)).toEqual([{}]);
  });

  it('is not asked about a document that does not verify', async () => {
    const stranger = await Nitro.create();
    const document = await stranger.document(spki, { timestamp: nitro.nowMs });
    expect(() => decisionsOn(document)).toThrow(KmsServiceError);
    expect(decided).toEqual([]);
  });
});
