import type { Group, Row } from '../lib/group.ts';
import { BATCH_ITEMS, BATCHES_IN_FLIGHT, IN_FLIGHT, hasBatches, SESSIONS, type HsmCase } from './cases.ts';
import { limitRow, refusalOf } from './limit.ts';
import type { BenchToken } from './modules.ts';
import type { Workers, WorkerProgram } from './workers.ts';

/** Begins of the names of rows, by which the targets find them. */
export const NATIVE = 'keywright';
const GRAPHENE_ASYNC = 'graphene-pk11, asynchronous';
const LIMIT = 'limit: C loop';
const GRAPHENE = 'graphene-pk11, at once';
const SOFTWARE = 'software key, core';

export function grapheneName(inFlight: number): string {
  return `${GRAPHENE_ASYNC}, ${inFlight} in flight`;
}

function sessionsName(count: number): string {
  return count === 1 ? '1 session' : `${count} sessions`;
}

export function limitName(sessions: number): string {
  return `${LIMIT}, ${sessionsName(sessions)}`;
}

/** Makes rows, each after its work was made and shown to do what it should. */
class RowMaker {
  readonly #workers: Workers;
  readonly #token: BenchToken;

  constructor(workers: Workers, token: BenchToken) {
    this.#workers = workers;
    this.#token = token;
  }

  async row(program: WorkerProgram, work: string, sessions: number, row: Omit<Row, 'measure'>): Promise<Row> {
    const { inFlight = 1 } = row;
    const ask = (minimumMs: number, samples: number): ReturnType<Workers['ask']> =>
      this.#workers.ask(program, this.#token, sessions, { work, inFlight, minimumMs, samples });
    await ask(1, 0);
    return { ...row, measure: ask };
  }
}

/** One operation on one module: our path, graphene-pk11, a C loop, and the same operation on a software key. */
export function hsmGroup(workers: Workers, token: BenchToken, hsmCase: HsmCase): Group {
  const { title, sizeBytes } = hsmCase;
  return {
    name: `${token.name}: ${title}`,
    sizeBytes,
    baseline: grapheneName(1),
    open: () => hsmRows(new RowMaker(workers, token), token, hsmCase),
  };
}

async function hsmRows(maker: RowMaker, token: BenchToken, { operation, keys }: HsmCase): Promise<Row[]> {
  const refusal = refusalOf(token, operation, keys);
  if (refusal !== undefined) {
    console.log(`\n${token.name} does not offer ${operation}: ${refusal}`);
    return [];
  }
  const work = `${operation}/${keys}`;
  const rows: Row[] = SESSIONS.map((sessions) => limitRow(limitName(sessions), token, operation, keys, sessions));
  for (const sessions of SESSIONS) {
    const series = `${NATIVE}, ${sessionsName(sessions)}`;
    const limit = limitName(sessions);
    for (const inFlight of IN_FLIGHT) {
      const name = `${series}, ${inFlight} in flight`;
      const row = { name, limit, series, inFlight, baseline: grapheneName(inFlight) };
      rows.push(await maker.row('native', work, sessions, row));
    }
    for (const inFlight of hasBatches(operation) ? BATCHES_IN_FLIGHT : []) {
      const name = `${series}, batches of ${BATCH_ITEMS}, ${inFlight} in flight`;
      const row = { name, limit, baseline: grapheneName(Math.max(...IN_FLIGHT)), inFlight };
      rows.push(await maker.row('native', `${work}/batch`, sessions, row));
    }
  }
  for (const inFlight of IN_FLIGHT) {
    const name = grapheneName(inFlight);
    rows.push(
      await maker.row('graphene', `${work}/async`, 0, { name, series: GRAPHENE_ASYNC, inFlight, baseline: name }),
    );
  }
  rows.push(await maker.row('graphene', work, 0, { name: GRAPHENE, series: GRAPHENE, limit: limitName(1) }));
  rows.push(await maker.row('software', operation, 0, { name: SOFTWARE, series: SOFTWARE }));
  return rows;
}

/** Sessions behind whole calls. */
const KMS_SESSIONS = 4;

const KMS_OPERATIONS = [
  ['encrypt', 'Encrypt 32 B', 'encryptGcm32'],
  ['decrypt', 'Decrypt 32 B', 'decryptGcm32'],
  ['generateDataKey', 'GenerateDataKey', 'encryptGcm32'],
] as const;

/** Whole calls of an engine on a software key and on a key of a CloudHSM key store over the token. */
export function kmsGroups(workers: Workers, token: BenchToken): Group[] {
  const software = (inFlight: number): string => `software key, ${inFlight} in flight`;
  return KMS_OPERATIONS.map(([operation, title, limitOperation]) => ({
    name: `${token.name}: KMS ${title}`,
    sizeBytes: 0,
    baseline: software(1),
    open: async () => {
      if (refusalOf(token, limitOperation, 'token') !== undefined) return [];
      const maker = new RowMaker(workers, token);
      const limit = limitName(KMS_SESSIONS);
      const rows = [limitRow(limit, token, limitOperation, 'token', KMS_SESSIONS)];
      for (const inFlight of IN_FLIGHT) {
        const name = software(inFlight);
        const row = { name, series: 'software key', inFlight, baseline: name };
        rows.push(await maker.row('kms', `${operation}/software`, KMS_SESSIONS, row));
      }
      const series = `HSM key, ${sessionsName(KMS_SESSIONS)}`;
      for (const inFlight of IN_FLIGHT) {
        const name = `${series}, ${inFlight} in flight`;
        const row = { name, series, limit, inFlight, baseline: software(inFlight) };
        rows.push(await maker.row('kms', `${operation}/hsm`, KMS_SESSIONS, row));
      }
      return rows;
    },
  }));
}
