/** Every operation asks for its own permission before it says or does anything. */
import type { KMSClient } from '@aws-sdk/client-kms';
import { beforeAll, describe, expect, it } from 'vitest';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import type { OperationName } from '../../src/service/registry.ts';
import { declaredDemands, OPERATION_NAMES } from '../support/declared-demands.ts';
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../support/doors.ts';
import { sendByName } from '../support/send-by-name.ts';
import { storeContents } from '../support/store-contents.ts';
import { actionsOf, prepare, SAMPLES, withArns, type Sample } from './access-samples.ts';
import { titleOf, type Call } from './key-scenarios.ts';
import { describeKms, type Suite } from './suite.ts';

const STRANGER_SENTENCE =
  'on this resource because the resource does not exist in this Region, no resource-based policies allow access, ' +
  'or a resource-based policy explicitly denies access';
const CIPHERTEXT_SENTENCE =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this region, ' +
  'or you are not allowed to access.';

/** The name of an alias is one of the caller's own account, whatever account that is. */
const BY_ALIAS_NAME: readonly OperationName[] = ['DeleteAlias', 'UpdateAlias'];
/** Without a key in the request, the ciphertext tells it. */
const BY_CIPHERTEXT: readonly OperationName[] = ['Decrypt', 'ReEncrypt'];
/** A key that nobody has. */
const OTHER_KEY_ID = 'deadbeef-0000-4000-8000-000000000000';

const titleOfSample = ({ scenario, operation }: Sample): string =>
  scenario === undefined ? operation : titleOf(scenario);

interface Outcome {
  readonly name: string;
  readonly message: string;
}

const outcomeOf = (call: Promise<object>): Promise<Outcome> =>
  call.then(
    () => ({ name: 'success', message: '' }),
    (error: unknown) => ({ name: (error as Error).name, message: (error as Error).message }),
  );

const policyOf = (...statements: readonly object[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', Resource: '*', ...statement })),
  });

function callOf({ door }: Suite): Call {
  return (name, input) => door.engine.call(name, input, { caller: rootOf(ACCOUNT), region: REGION });
}

let users = 0;

function userWith({ door }: Suite, policy: string): Promise<KMSClient> {
  return newUser({ door }, `user-${String(++users)}`, policy);
}

async function newUser(
  { door }: Pick<Suite, 'door'>,
  name: string,
  policy?: string,
  accountId = ACCOUNT,
): Promise<KMSClient> {
  const policies = new Map(policy === undefined ? [] : [['inline', policy]]);
  const user = await door.engine.identities.create({ accountId, kind: 'user', name }, { policies });
  return door.clientAs(callerOf(user));
}

it('every operation has a sample request here', () => {
  const sampled = new Set(SAMPLES.map(({ operation }) => operation));
  expect(OPERATION_NAMES.filter((name) => !sampled.has(name))).toEqual([]);
  const aboutKeys = OPERATION_NAMES.filter((name) => declaredDemands(name).length > 0);
  const withKeys = new Set(SAMPLES.filter(({ scenario }) => scenario !== undefined).map(({ operation }) => operation));
  expect(aboutKeys.filter((name) => !withKeys.has(name))).toEqual([]);
});

describeKms('a caller without permission', (suite) => {
  let nobody: KMSClient;
  let outsider: KMSClient;
  let foreignAdministrator: KMSClient;

  beforeAll(async () => {
    nobody = await newUser(suite, 'nobody');
    outsider = await newUser(suite, 'outsider', undefined, OTHER_ACCOUNT);
    foreignAdministrator = suite.door.client({ account: OTHER_ACCOUNT });
  });

  describe.each(SAMPLES.map((sample) => [titleOfSample(sample), sample] as const))('%s', (_title, sample) => {
    const { operation } = sample;
    const actions = actionsOf(operation).map((action) => action.slice('kms:'.length));

    it('is refused in the account, whatever the state of the key, and nothing changes', async () => {
      const call = callOf(suite);
      const { request, keyId } = await prepare(sample, call);
      const sentence = new RegExp(
        `^User: arn:aws:iam::${ACCOUNT}:user/nobody is not authorized to perform: kms:(${actions.join('|')}) ` +
          String.raw`on resource: (\*|arn:aws:[\w:/-]+) ` +
          String.raw`because no identity-based policy allows the kms:\1 action$`,
      );
      const before = storeContents(suite.door.folder);
      const refusal = await outcomeOf(sendByName(nobody, operation, request));
      expect(refusal.name).toBe('AccessDeniedException');
      if (BY_CIPHERTEXT.includes(operation) && refusal.message === CIPHERTEXT_SENTENCE) {
        expect(request).not.toHaveProperty('KeyId');
      } else {
        expect(refusal.message).toMatch(sentence);
      }
      expect(storeContents(suite.door.folder)).toEqual(before);
      if (keyId !== undefined) {
        if (sample.scenario?.key?.Origin === undefined) {
          await call('DisableKey', { KeyId: keyId });
          expect(await outcomeOf(sendByName(nobody, operation, request))).toEqual(refusal);
        }
        await call('ScheduleKeyDeletion', { KeyId: keyId });
        expect(await outcomeOf(sendByName(nobody, operation, request))).toEqual(refusal);
      }
    });

    it('is refused in another account, alike for keys that are there and that are not', async () => {
      const { request } = await prepare(sample, callOf(suite));
      if (sample.scenario === undefined) {
        const refusal = await outcomeOf(sendByName(outsider, operation, request));
        expect(refusal.name).toBe('AccessDeniedException');
        return;
      }
      const before = storeContents(suite.door.folder);
      for (const [client, name] of [
        [outsider, 'outsider'],
        [foreignAdministrator, 'administrator'],
      ] as const) {
        const refusal = await outcomeOf(sendByName(client, operation, withArns(request)));
        if (BY_ALIAS_NAME.includes(operation)) {
          expect(refusal.name).toBe('NotFoundException');
          expect(refusal.message).toContain(`:${OTHER_ACCOUNT}:alias/`);
          continue;
        }
        expect(refusal.name).toBe('AccessDeniedException');
        if (!BY_CIPHERTEXT.includes(operation) || refusal.message !== CIPHERTEXT_SENTENCE) {
          const user = `arn:aws:iam::${OTHER_ACCOUNT}:user/${name}`;
          const action = refusal.message.match(/kms:\w+/)?.[0] ?? '';
          expect(actions.map((each) => `kms:${each}`)).toContain(action);
          expect(refusal.message).toBe(`User: ${user} is not authorized to perform: ${action} ${STRANGER_SENTENCE}`);
          const absent = withArns(request, () => OTHER_KEY_ID);
          expect(await outcomeOf(sendByName(client, operation, absent))).toEqual(refusal);
        }
      }
      expect(storeContents(suite.door.folder)).toEqual(before);
    });
  });
});

describeKms('permission for one operation', (suite) => {
  describe.each(SAMPLES.map((sample) => [titleOfSample(sample), sample] as const))('%s', (_title, sample) => {
    const { operation } = sample;
    const actions = actionsOf(operation);

    it(`${actions.join(' and ')} in an identity policy is enough`, async () => {
      const call = callOf(suite);
      const expected = await prepare(sample, call);
      const usual = await outcomeOf(sendByName(suite.kms, operation, expected.request));
      const user = await userWith(suite, policyOf({ Action: actions }));
      const { request } = await prepare(sample, call);
      const outcome = await outcomeOf(sendByName(user, operation, request));
      expect(outcome.name).not.toBe('AccessDeniedException');
      expect(outcome.name).toBe(usual.name);
    });

    it.each(actions)('everything else without %s is not', async (action) => {
      const { request } = await prepare(sample, callOf(suite));
      const user = await userWith(suite, policyOf({ Action: '*' }, { Effect: 'Deny', Action: action }));
      const { name, message } = await outcomeOf(sendByName(user, operation, request));
      expect(name).toBe('AccessDeniedException');
      if (!BY_CIPHERTEXT.includes(operation) || message !== CIPHERTEXT_SENTENCE) {
        expect(message).toContain(`is not authorized to perform: ${action} on resource: `);
        expect(message).toMatch(/ with an explicit deny in an identity-based policy$/);
      }
    });
  });
});
