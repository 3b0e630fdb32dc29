import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { readPolicy, type Policy } from '../policy/policy.ts';
import type { VpcEndpoint } from '../service/target.ts';
import { ConfigError, parseListen, type Address } from './config.ts';

/** A listener whose requests come through a VPC endpoint. */
export interface VpcEndpointConfig {
  readonly address: Address;
  readonly vpcEndpoint: VpcEndpoint;
}

const MEMBERS = ['listen', 'policy', 'vpcEndpointId', 'vpcId'];
const FULL_ACCESS = {
  Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
};

/**
 * Reads the file of KEYWRIGHT_VPC_ENDPOINTS: a list of `listen`, `vpcEndpointId`, `vpcId` and `policy` (inline, or JSON
 * text; without it everything may pass, as with AWS's default endpoint policy).
 *
 * @throws ConfigError that names the entry and the member
 */
export function readVpcEndpoints(path: string, plainHttp: string | undefined): readonly VpcEndpointConfig[] {
  const entries = parseFile(path);
  return entries.map((entry, index) => {
    const where = `${path}, entry ${String(index + 1)}`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      throw new ConfigError(`${where} must have the members ${MEMBERS.join(', ')}`);
    }
    const members = entry as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(members).find((member) => !MEMBERS.includes(member));
    if (unknown !== undefined) {
      throw new ConfigError(`${where} has the unknown member "${unknown}"`);
    }
    const vpcEndpoint = {
      id: requireId(members['vpcEndpointId'], /^vpce-[0-9a-f]{8,17}$/, `${where}: vpcEndpointId`),
      vpcId: requireId(members['vpcId'], /^vpc-[0-9a-f]{8,17}$/, `${where}: vpcId`),
      policy: requirePolicy(members['policy'], where),
    };
    const { listen } = members;
    if (typeof listen !== 'string') {
      throw new ConfigError(`${where}: listen must be an address such as https://10.0.0.1:4601`);
    }
    return { address: parseListen(`${where}: listen`, listen, plainHttp), vpcEndpoint };
  });
}

function parseFile(path: string): readonly unknown[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`KEYWRIGHT_VPC_ENDPOINTS: ${(error as Error).message}`);
  }
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new ConfigError(`${path}: ${problem.message}`);
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Aliases to nothing, or too many of them.
    throw new ConfigError(`${path}: ${(error as Error).message}`);
  }
  if (!Array.isArray(content)) {
    throw new ConfigError(`${path} must be a list of endpoints`);
  }
  return content;
}

function requireId(value: unknown, pattern: RegExp, where: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) {
    throw new ConfigError(`${where} must match ${pattern.source}`);
  }
  return value;
}

function requirePolicy(value: unknown, where: string): Policy {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? FULL_ACCESS);
  const result = readPolicy(text, 'vpcEndpoint');
  if (!result.ok) {
    throw new ConfigError(`${where}: policy: ${result.problem}`);
  }
  return result.policy;
}
