import { KmsServiceError } from '../../base/errors.ts';
import { findTagProblem } from '../../keys/tags.ts';
import { changeKey } from '../change-key.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Removes tags from a key; tags that it does not have are ignored. @source KMS API Reference, UntagResource */
export const untagResource = defineOperation({
  name: 'UntagResource',
  input: structure({ KeyId: required(shapes.keyId), TagKeys: required(shapes.tagKeys) }),
  errors: [
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
    'TagException',
  ],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:UntagResource', forms: 'idOrArn', rule: 'describe' }),
  async execute(authorized, input, { keys }) {
    const { key } = authorized.targets[0];
    if (input.TagKeys.some((tagKey) => findTagProblem([tagKey]) !== undefined)) {
      throw new KmsServiceError('TagException', 'Tags beginning with aws: are reserved');
    }
    const removed = new Set(input.TagKeys);
    const tags = new Map([...key.tags].filter(([tagKey]) => !removed.has(tagKey)));
    if (tags.size < key.tags.size) {
      await changeKey(keys, key, { tags });
    }
  },
});
