/** A request of every operation, for tests of who may make it. */
import { randomBytes } from 'node:crypto';
import { rootOf } from '../../src/iam/identities.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import { ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { wrapMaterial } from '../support/key-import.ts';
import { sampleStructure } from '../support/sample-request.ts';
import { newKeyId, SCENARIOS, type Call, type KeyInput, type Scenario } from './key-scenarios.ts';

const EXTERNAL: KeyInput = { Origin: 'EXTERNAL' };
const WRAPPING = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;

const importScenarios: readonly Scenario[] = [
  { operation: 'GetParametersForImport', key: EXTERNAL, request: (KeyId) => ({ KeyId, ...WRAPPING }) },
  {
    operation: 'ImportKeyMaterial',
    key: EXTERNAL,
    prepare: async (KeyId, call) => {
      const { ImportToken, PublicKey } = await call('GetParametersForImport', { KeyId, ...WRAPPING });
      const EncryptedKeyMaterial = wrapMaterial(WRAPPING.WrappingAlgorithm, PublicKey, randomBytes(32));
      return { ImportToken, EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
    },
  },
  { operation: 'DeleteImportedKeyMaterial', key: EXTERNAL },
];

/** Requests about a key. */
const KEY_SAMPLES = [...SCENARIOS, ...importScenarios.filter(({ operation }) => !isScenario(operation))];

function isScenario(name: OperationName): boolean {
  return SCENARIOS.some(({ operation }) => operation === name);
}

/** Requests that are about no key. */
const OTHER_SAMPLES: Readonly<Partial<Record<OperationName, object>>> = {
  ...Object.fromEntries(
    (
      [
        'ConnectCustomKeyStore',
        'CreateCustomKeyStore',
        'DeleteCustomKeyStore',
        'DescribeCustomKeyStores',
        'DisconnectCustomKeyStore',
        'UpdateCustomKeyStore',
      ] as const
    ).map((name) => [name, sampleStructure(OPERATIONS[name].input.shape.members)]),
  ),
  CreateKey: {},
  GenerateRandom: { NumberOfBytes: 8 },
  ListKeys: {},
  ListRetirableGrants: { RetiringPrincipal: rootOf(ACCOUNT).arn },
};

/** A request that can be made, with all that it needs. */
export interface Sample {
  readonly operation: OperationName;
  readonly scenario: Scenario | undefined;
  readonly other: object | undefined;
}

export const SAMPLES: readonly Sample[] = [
  ...KEY_SAMPLES.map((scenario) => ({ operation: scenario.operation, scenario, other: undefined })),
  ...Object.entries(OTHER_SAMPLES).map(([name, other]) => ({
    operation: name as OperationName,
    scenario: undefined,
    other,
  })),
];

/** A request that is ready to be sent. */
export interface Prepared {
  readonly request: Readonly<Record<string, unknown>>;
  /** The key that the sample is about; absent where it is about none. */
  readonly keyId: string | undefined;
}

/** Makes what a sample needs; `call` is the administrator's. */
export async function prepare({ scenario, other }: Sample, call: Call): Promise<Prepared> {
  if (scenario === undefined) {
    return { request: { ...other }, keyId: undefined };
  }
  const { isReplicated = false, ...input } = scenario.key ?? {};
  const keyId = await newKeyId(call, input);
  if (isReplicated) {
    await call('ReplicateKey', { KeyId: keyId, ReplicaRegion: OTHER_REGION });
  }
  const prepared = await scenario.prepare?.(keyId, call);
  return { request: { ...(scenario.request?.(keyId) ?? { KeyId: keyId }), ...prepared }, keyId };
}

const KEY_ID = /^(?:[0-9a-f]{8}-[0-9a-f-]{27}|mrk-[0-9a-f]{32})$/;

/** The same request as another account has to make it: every key by its ARN. */
export function withArns(request: Prepared['request'], rename: (keyId: string) => string = (id) => id): object {
  return Object.fromEntries(
    Object.entries(request).map(([member, value]) => [
      member,
      typeof value === 'string' && KEY_ID.test(value) ? `arn:aws:kms:${REGION}:${ACCOUNT}:key/${rename(value)}` : value,
    ]),
  );
}

/** The permissions that an operation asks for, where they are more than the one of its name. */
const ACTIONS: Readonly<Partial<Record<OperationName, readonly string[]>>> = {
  ReEncrypt: ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  ReplicateKey: ['kms:ReplicateKey', 'kms:CreateKey'],
};

export const actionsOf = (name: OperationName): readonly string[] => ACTIONS[name] ?? [`kms:${name}`];
