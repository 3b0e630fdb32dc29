/** The control endpoint of a listener with test powers, with the AWS SDK on the other side. */
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { request as sendHttp } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { TestPowers } from '../../src/engine/test-powers/test-powers.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Stand {
  readonly engine: Engine;
  readonly server: HttpServer;
  readonly url: string;
  readonly kms: (maxAttempts: number) => KMSClient;
  close(): Promise<void>;
}

async function open(testPowers?: TestPowers): Promise<Stand> {
  const folder = temporaryFolder();
  const engine = await Engine.open({
    dataDirectory: folder.path,
    ...(testPowers === undefined ? {} : { testPowers }),
  });
  const credentials = await engine.accessKeys.create(rootOf('111122223333'));
  const server = await HttpServer.listen({ engine, log: SILENT_LOG, host: '127.0.0.1', port: 0, hasTestControl: true });
  const url = `http://127.0.0.1:${String(server.port)}`;
  return {
    engine,
    server,
    url,
    kms: (maxAttempts) => new KMSClient({ region: 'us-east-1', endpoint: url, credentials, maxAttempts }),
    close: async () => {
      await server.close();
      await engine.close();
      folder.remove();
    },
  };
}

let stand: Stand;

beforeAll(async () => {
  stand = await open(new TestPowers());
});

afterEach(async () => {
  for (const power of ['clock', 'faults', 'lag']) {
    await control('DELETE', power);
  }
});

afterAll(async () => {
  await stand.close();
});

async function control(method: string, power: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${stand.url}/_keywright/test/${power}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

describe('the control endpoint', () => {
  it('moves the clock, and what falls due has happened when it answers', async () => {
    const kms = stand.kms(1);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata?.KeyId;
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    const moved = await control('PUT', 'clock', { advanceSeconds: 8 * 86_400 });
    const { now } = moved.body as { now: string };
    expect(Date.parse(now)).toBeGreaterThan(Date.now() + 7 * 86_400_000);
    // Signed with real time, which the moved clock does not concern.
    await expectError(kms.send(new DescribeKeyCommand({ KeyId })), 'NotFoundException');
  });

  it('sets the clock to an instant, shows it and takes it back', async () => {
    expect((await control('PUT', 'clock', { now: '2035-06-01T12:00:00Z' })).body).toMatchObject({
      now: expect.stringMatching(/^2035-06-01T12:00:0/) as string,
    });
    expect((await control('GET', 'clock')).body).toMatchObject({ now: expect.stringMatching(/^2035/) as string });
    const { now } = (await control('DELETE', 'clock')).body as { now: string };
    expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(60_000);
  });

  it('throttles a client, which tries again until it gets through', async () => {
    await control('PUT', 'faults', { rules: [{ operation: 'ListKeys', error: 'ThrottlingException', times: 2 }] });
    await stand.kms(3).send(new ListKeysCommand({}));
    expect((await control('GET', 'faults')).body).toEqual({
      rules: [{ operation: 'ListKeys', error: 'ThrottlingException', times: 2, matched: 3, fired: 2 }],
    });
    await control('PUT', 'faults', { rules: [{ error: 'ThrottlingException' }] });
    await expectError(stand.kms(2).send(new ListKeysCommand({})), 'ThrottlingException', /exceeded the rate/);
    expect((await control('GET', 'faults')).body).toMatchObject({ rules: [{ fired: 2 }] });
    expect((await control('DELETE', 'faults')).body).toEqual({ rules: [] });
    await stand.kms(1).send(new ListKeysCommand({}));
  });

  it('delays what is visible', async () => {
    await control('PUT', 'lag', { milliseconds: 60_000 });
    const kms = stand.kms(1);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const describeKey = (): Promise<unknown> => kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }));
    await expectError(describeKey(), 'NotFoundException');
    await control('PUT', 'clock', { advanceSeconds: 60 });
    await describeKey();
    expect((await control('GET', 'lag')).body).toEqual({ milliseconds: 60_000 });
  });

  it.each([
    ['PUT', 'clock', '{', 400, 'the body is no JSON'],
    ['PUT', 'clock', [], 400, 'the body must be an object'],
    ['PUT', 'clock', {}, 400, 'a clock needs either now, an ISO 8601 text, or advanceSeconds, a number'],
    ['PUT', 'clock', { now: 'tomorrow' }, 400, 'now must look like 2030-01-31T00:00:00Z'],
    ['PUT', 'clock', { advanceSeconds: 1e15 }, 400, 'the time must lie between 1970 and 9999'],
    ['PUT', 'clock', { then: 1 }, 400, 'there is no member then'],
    ['PUT', 'faults', {}, 400, 'rules must be a list of at most 1000'],
    ['PUT', 'faults', { rules: [{}] }, 400, 'a rule needs an error or a latencyMs'],
    ['PUT', 'lag', { milliseconds: '1' }, 400, 'a lag needs milliseconds, a number'],
    ['PUT', 'lag', { milliseconds: -1 }, 400, 'the lag must be 0 to 600000 milliseconds'],
    ['POST', 'lag', {}, 405, 'use GET, PUT or DELETE'],
    ['GET', 'constructor', undefined, 404, 'there is clock, faults, lag here'],
  ])('%s %s %j is refused with %i', async (method, power, body, status, message) => {
    expect(await control(method, power, body)).toEqual({ status, body: { message } });
  });

  it('does not answer to another name, which a page in a browser would use', async () => {
    const status = await new Promise((resolve, reject) => {
      const options = { port: stand.server.port, path: '/_keywright/test/clock', headers: { host: 'evil.example' } };
      sendHttp(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('is not there without test powers: the path is one like any other', async () => {
    const plain = await open();
    try {
      const answers = await Promise.all(
        ['/_keywright/test/clock', '/other'].map(async (path) => {
          const response = await fetch(plain.url + path, { method: 'PUT', body: '{"advanceSeconds":1}' });
          return [response.status, await response.text()];
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]?.[1]).toContain('UnknownOperationException');
    } finally {
      await plain.close();
    }
  });
});
