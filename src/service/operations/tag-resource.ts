import { KmsServiceError } from '../../base/errors.ts';
import { findTagProblem, MAX_TAGS_PER_KEY } from '../../keys/tags.ts';
import { requireTagMap } from '../key-tags.ts';
import { changeKey } from '../change-key.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Adds tags to a key, or replaces their values. @source KMS API Reference, TagResource */
export const tagResource = defineOperation({
  name: 'TagResource',
  input: structure({ KeyId: required(shapes.keyId), Tags: required(shapes.tags) }),
  errors: [
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'NotFoundException',
    'TagException',
  ],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:TagResource', forms: 'idOrArn', rule: 'describe' }),
  async execute(authorized, input, { keys }) {
    const { key } = authorized.targets[0];
    const tags = new Map([...key.tags, ...requireTagMap(input.Tags)]);
    const problem = findTagProblem([...tags.keys()]);
    if (problem !== undefined) {
      throw new KmsServiceError('TagException', problem);
    }
    if (tags.size > MAX_TAGS_PER_KEY) {
      throw new KmsServiceError('LimitExceededException', 'Too many tags');
    }
    await changeKey(keys, key, { tags });
  },
});
