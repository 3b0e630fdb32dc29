import type { Engine } from '../engine/engine.ts';
import type { FaultRule } from '../engine/test-powers/faults.ts';
import type { TestPowers } from '../engine/test-powers/test-powers.ts';

/** Where the control endpoint stands; nothing of the KMS API begins so. */
export const TEST_CONTROL_PREFIX = '/_keywright/test/';

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A request of the control endpoint that cannot be done; becomes status 400. */
class BadControlRequest extends Error {}

type Members = Readonly<Record<string, unknown>>;

interface Resource {
  readonly show: (powers: TestPowers) => unknown;
  readonly change: (powers: TestPowers, body: Members, engine: Engine) => void | Promise<void>;
  /** Back to what it was at the start. */
  readonly reset: (powers: TestPowers) => void;
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  clock: {
    show: ({ clock }) => ({ now: new Date(clock.nowMs()).toISOString() }),
    change: async ({ clock }, body, engine) => {
      const { now, advanceSeconds } = requireMembers(body, ['now', 'advanceSeconds']);
      if (typeof now === 'string' && advanceSeconds === undefined) {
        clock.set(requireInstant(now));
      } else if (typeof advanceSeconds === 'number' && now === undefined) {
        clock.advance(advanceSeconds * 1000);
      } else {
        throw new BadControlRequest('a clock needs either now, an ISO 8601 text, or advanceSeconds, a number');
      }
      // A round that had begun before the move does not see what is due now.
      await engine.runMaintenance();
      await engine.runMaintenance();
    },
    reset: ({ clock }) => {
      clock.reset();
    },
  },
  faults: {
    show: ({ faults }) => ({ rules: faults.rules }),
    change: ({ faults }, body) => {
      faults.set(requireMembers(body, ['rules'])['rules'] as readonly FaultRule[]);
    },
    reset: ({ faults }) => {
      faults.clear();
    },
  },
  lag: {
    show: ({ lag }) => ({ milliseconds: lag.ms }),
    change: ({ lag }, body) => {
      const { milliseconds } = requireMembers(body, ['milliseconds']);
      if (typeof milliseconds !== 'number') {
        throw new BadControlRequest('a lag needs milliseconds, a number');
      }
      lag.set(milliseconds);
    },
    reset: ({ lag }) => {
      lag.set(0);
    },
  },
};

/**
 * Answers a request of the control endpoint: GET shows a power, PUT changes it, DELETE takes it back. Not signed: only
 * a listener on loopback has it.
 *
 * @param path behind {@link TEST_CONTROL_PREFIX}
 */
export async function answerTestControl(
  engine: Engine,
  powers: TestPowers,
  request: { readonly method: string; readonly path: string; readonly body: Uint8Array },
): Promise<ControlAnswer> {
  const resource = Object.hasOwn(RESOURCES, request.path) ? RESOURCES[request.path] : undefined;
  if (resource === undefined) {
    return { status: 404, body: { message: `there is ${Object.keys(RESOURCES).join(', ')} here` } };
  }
  try {
    switch (request.method) {
      case 'GET':
        break;
      case 'PUT':
        await resource.change(powers, parseBody(request.body), engine);
        break;
      case 'DELETE':
        resource.reset(powers);
        break;
      default:
        return { status: 405, body: { message: 'use GET, PUT or DELETE' } };
    }
  } catch (error) {
    if (error instanceof BadControlRequest || error instanceof TypeError || error instanceof RangeError) {
      return { status: 400, body: { message: error.message } };
    }
    throw error;
  }
  return { status: 200, body: resource.show(powers) };
}

function parseBody(body: Uint8Array): Members {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new BadControlRequest('the body is no JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new BadControlRequest('the body must be an object');
  }
  return parsed as Members;
}

function requireMembers(body: Members, known: readonly string[]): Members {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new BadControlRequest(`there is no member ${unknown}`);
  }
  return body;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

function requireInstant(text: string): number {
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new BadControlRequest('now must look like 2030-01-31T00:00:00Z');
  }
  return ms;
}
