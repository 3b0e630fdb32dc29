import type { AccessControl, AccessRequest, Decision } from '../service/ports.ts';

/**
 * Access by account: every principal of an account may do everything with what the account owns, and nothing with what
 * another account owns. Key policies are stored and returned, and do not widen or narrow this yet.
 */
export class AccountAccess implements AccessControl {
  decide({ caller, action, resourceAccountId }: AccessRequest): Decision {
    return caller.accountId === resourceAccountId
      ? { effect: 'allow' }
      : { effect: 'deny', reason: `no resource-based policy allows the ${action} action` };
  }
}
