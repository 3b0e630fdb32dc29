/** Every operation on a key in every key state: it works, or refuses in the words of AWS. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { KEY_STATES, stateRefusal, type KeyState } from '../../src/keys/key-state.ts';
import type { KmsKey } from '../../src/keys/kms-key.ts';
import { nextVersion, type KeyPatch } from '../../src/service/change-key.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import { MAX_STALENESS_MS } from '../../src/store/change-feed.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { declaredDemands, OPERATION_NAMES } from '../support/declared-demands.ts';
import { ACCOUNT, openEngine, OTHER_REGION, REGION, type OpenEngine } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import {
  canBeImported,
  IMPORTED,
  MAC,
  newKeyId,
  onSymmetricKey,
  SCENARIOS,
  SIGN,
  titleOf,
  type Call,
  type Scenario,
} from './key-scenarios.ts';
import { KEY_STATE_TABLE, type Column } from './key-state-table.ts';

const context = { caller: rootOf(ACCOUNT), region: REGION };

let open: OpenEngine;
/** The same store without a service in front of it: for states that no operation reaches. */
let store: Store;

beforeAll(async () => {
  open = await openEngine();
  store = await openStore(`sqlite:${join(open.folder, 'keywright.db')}`, open.clock, SILENT_LOG);
});

afterAll(async () => {
  await store.close();
  await open.engine.close();
  open.remove();
});

const call: Call = (name, input) => open.engine.call(name, input, context);

interface Ready {
  readonly arn: string;
  readonly request: object;
}

/** A key in `state` and the request that is about it. */
async function ready(scenario: Scenario, state: KeyState, patch: KeyPatch = {}): Promise<Ready> {
  const { isReplicated = false, ...input } = scenario.key ?? {};
  // A primary with replicas cannot be pending deletion.
  const needsReplica = state === 'PendingReplicaDeletion' || (isReplicated && state !== 'PendingDeletion');
  const KeyId = await newKeyId(call, {
    ...input,
    ...(isImported(scenario, state) ? IMPORTED : {}),
    MultiRegion: needsReplica || input.MultiRegion === true,
  });
  if (needsReplica) {
    await call('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION });
  }
  const prepared = await scenario.prepare?.(KeyId, call);
  await bringInto(KeyId, state, patch);
  return {
    arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId}`,
    request: { ...(scenario.request?.(KeyId) ?? { KeyId }), ...prepared },
  };
}

/** True when it takes imported material to get such a key into the state by the API. */
const isImported = ({ key = {} }: Scenario, state: KeyState): boolean =>
  state === 'PendingImport' && canBeImported(key);

async function bringInto(KeyId: string, state: KeyState, patch: KeyPatch): Promise<void> {
  if (Object.keys(patch).length > 0 || state === 'Creating' || state === 'Updating') {
    await changeStored(KeyId, { state, ...patch });
  } else if (state === 'Disabled') {
    await call('DisableKey', { KeyId });
  } else if (state === 'PendingImport') {
    await call('DeleteImportedKeyMaterial', { KeyId });
    expect((await call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe(state);
  } else if (state !== 'Enabled') {
    expect((await call('ScheduleKeyDeletion', { KeyId })).KeyState).toBe(state);
  }
}

/** Changes the key behind the back of the engine, and waits until the engine has noticed. */
async function changeStored(KeyId: string, patch: KeyPatch): Promise<void> {
  await sleep(2 * MAX_STALENESS_MS);
  const key = (await store.keys.find(REGION, KeyId)) as KmsKey;
  await store.keys.commit([{ kind: 'update', key: nextVersion(key, patch) }]);
  await sleep(2 * MAX_STALENESS_MS);
}

const DELETION_NOUNS: Partial<Record<KeyState, string>> = {
  PendingDeletion: 'pending deletion',
  PendingReplicaDeletion: 'pending replica deletion',
};

/** The refusals of the footnotes: the error, and its text behind the ARN of the key. */
function footnote(cell: string, state: KeyState): readonly [error: string, predicate: string] {
  const footnotes: Record<string, readonly [string, string]> = {
    '[1]': ['DisabledException', 'is disabled.'],
    '[3]': ['KMSInvalidStateException', `is ${DELETION_NOUNS[state] ?? ''}.`],
    '[4]': ['KMSInvalidStateException', 'is not pending deletion.'],
    '[5]': ['KMSInvalidStateException', 'is pending import.'],
    '[6]': ['UnsupportedOperationException', 'origin is EXTERNAL which is not valid for this operation.'],
    '[7]': ['UnsupportedOperationException', 'origin is EXTERNAL_KEY_STORE which is not valid for this operation.'],
    '[8]': ['KMSInvalidStateException', `is ${DELETION_NOUNS[state] ?? ''}.`],
    // In the table as such for keys of custom key stores only; see below for all others.
    '[9]': ['UnsupportedOperationException', 'origin is EXTERNAL_KEY_STORE which is not valid for this operation.'],
    '[11]': ['KMSInvalidStateException', 'is unavailable.'],
    '[14]': ['KMSInvalidStateException', 'is creating.'],
    '[15]': ['KMSInvalidStateException', 'is updating.'],
  };
  const found = footnotes[cell];
  if (found === undefined) {
    throw new Error(`footnote ${cell} is not known`);
  }
  return found;
}

/** Of the keys of the scenarios, no `?n` refuses: `?7` is about other origins than AWS_KMS, `?9` than EXTERNAL. */
const allows = (cell: string): boolean => cell.startsWith('ok') || cell === '?7' || cell === '?9';

/** The keys that have a state at AWS have the origin that leads there; where the API does not, the store is changed. */
function originPatch(scenario: Scenario, state: KeyState): KeyPatch {
  if (state === 'Unavailable') {
    return { origin: 'EXTERNAL_KEY_STORE' };
  }
  return state === 'PendingImport' && !isImported(scenario, state) ? { origin: 'EXTERNAL' } : {};
}

async function expectOutcome(scenario: Scenario, state: KeyState, cell: string): Promise<void> {
  const { operation } = scenario;
  const { arn, request } = await ready(scenario, state, originPatch(scenario, state));
  const send = (body: object): Promise<unknown> => open.engine.call(operation, body, context);
  const knowsDryRun = Object.hasOwn(OPERATIONS[operation].input.shape.members, 'DryRun');
  if (allows(cell)) {
    if (knowsDryRun) {
      await expectError(
        send({ ...request, DryRun: true }),
        'DryRunOperationException',
        'The request would have succeeded, but the DryRun option is set.',
      );
    }
    await send(request);
    return;
  }
  const [error, predicate] = footnote(cell, state);
  for (const body of [request, ...(knowsDryRun ? [{ ...request, DryRun: true }] : [])]) {
    await expectError(send(body), error, `${arn} ${predicate}`);
  }
}

const columnOf = (state: KeyState): Column =>
  state === 'PendingDeletion' || state === 'PendingReplicaDeletion' ? 'PD' : state;

const cellsOf = (scenario: Scenario): Readonly<Record<Column, string>> => {
  const cells = KEY_STATE_TABLE.get(titleOf(scenario));
  if (cells === undefined) {
    throw new Error(`the table of key states has no row for ${titleOf(scenario)}`);
  }
  return cells;
};

it('every operation that is about a key has a row in the table and is tried here', () => {
  const aboutKeys = OPERATION_NAMES.filter((name) => declaredDemands(name).length > 0);
  const tried = new Set(SCENARIOS.map(({ operation }) => operation));
  expect(aboutKeys.filter((name) => !tried.has(name))).toEqual([]);
  expect(SCENARIOS.map(titleOf).filter((title) => !KEY_STATE_TABLE.has(title))).toEqual([]);
});

describe.each(SCENARIOS.map((scenario) => [titleOf(scenario), scenario] as const))('%s', (_title, scenario) => {
  const cells = cellsOf(scenario);
  const states = KEY_STATES.filter((state) => cells[columnOf(state)] !== 'N/A');
  it.each(states.map((state) => [state, cells[columnOf(state)]] as const))('in %s: %s', async (state, cell) => {
    if (state === 'Unavailable' && allows(cell)) {
      // No key store is there that such a key could be in: the rule itself must allow it.
      const roles = { source: 'SourceKeyId', destination: 'DestinationKeyId', 'new target': 'TargetKeyId' };
      const { role } = scenario;
      const member = role === undefined || role === 'old target' ? role : roles[role];
      const demands = declaredDemands(scenario.operation).filter((each) => [undefined, each.member].includes(member));
      expect(demands).toHaveLength(1);
      expect(demands.map(({ rule }) => stateRefusal(rule ?? 'any', state))).toEqual([undefined]);
      return;
    }
    await expectOutcome(scenario, state, cell);
  });
});

const scenarioOf = (operation: OperationName): Scenario => {
  const found = SCENARIOS.find((scenario) => scenario.operation === operation);
  return found ?? onSymmetricKey(operation);
};

describe('footnote 7', () => {
  const ROTATION = [
    'EnableKeyRotation',
    'DisableKeyRotation',
    'GetKeyRotationStatus',
    'ListKeyRotations',
    'RotateKeyOnDemand',
  ] as const;
  const PAIRS = ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'] as const;

  it.each([...ROTATION, ...PAIRS])('%s refuses a key of a custom key store by its origin', async (operation) => {
    for (const origin of ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const) {
      const { arn, request } = await ready(scenarioOf(operation), 'Enabled', { origin });
      await expectError(
        open.engine.call(operation, request as never, context),
        'UnsupportedOperationException',
        `${arn} origin is ${origin} which is not valid for this operation.`,
      );
    }
  });

  it.each(['EnableKeyRotation', 'DisableKeyRotation'] as const)(
    '%s refuses a key of imported material by its origin',
    async (operation) => {
      const { arn, request } = await ready({ operation, key: IMPORTED }, 'Enabled');
      await expectError(
        open.engine.call(operation, request as never, context),
        'UnsupportedOperationException',
        `${arn} origin is EXTERNAL which is not valid for this operation.`,
      );
    },
  );

  describe.each([
    ['a key pair', SIGN],
    ['an HMAC key', MAC],
  ])('%s', (_title, key) => {
    it.each(['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand'] as const)(
      'cannot be the key of %s',
      async (operation) => {
        const { request } = await ready({ operation, key }, 'Enabled');
        await expectError(open.engine.call(operation, request as never, context), 'UnsupportedOperationException');
      },
    );

    it('is never rotated and has no rotations', async () => {
      const KeyId = await newKeyId(call, key);
      expect(await call('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId, KeyRotationEnabled: false });
      expect(await call('ListKeyRotations', { KeyId })).toEqual({ Rotations: [], Truncated: false });
    });
  });
});

describe('footnote 9', () => {
  const IMPORTS = ['DeleteImportedKeyMaterial', 'GetParametersForImport', 'ImportKeyMaterial'] as const;
  const STATES = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingReplicaDeletion', 'Creating', 'Updating'] as const;

  it.each(IMPORTS)('%s refuses a key that was not imported by its origin, in whatever state', async (operation) => {
    const { request: requestOf } = scenarioOf(operation);
    const scenario: Scenario = { operation, ...(requestOf === undefined ? {} : { request: requestOf }) };
    for (const state of STATES) {
      const { arn, request } = await ready(scenario, state);
      await expectError(
        open.engine.call(operation, request as never, context),
        'UnsupportedOperationException',
        `${arn} origin is AWS_KMS which is not valid for this operation.`,
      );
    }
  });
});
