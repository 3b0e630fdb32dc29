/** What a workflow of GitHub Actions names must be there, and what it runs must be pinned. */
import { parse } from 'yaml';
import { type Violation } from './tree.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly steps?: readonly Step[];
  readonly strategy?: { readonly matrix?: Readonly<Record<string, readonly unknown[]>> };
}

interface Workflow {
  readonly on?: unknown;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** What the checkout has: `isFile` for a path in it, `npmScripts` of package.json. */
export interface Checkout {
  readonly isFile: (path: string) => boolean;
  readonly npmScripts: readonly string[];
}

/** Everything that a workflow would only find out when it runs. `text` is YAML; what is none is a violation, too. */
export function checkWorkflow(path: string, text: string, checkout: Checkout): Violation[] {
  const found = (rule: string): Violation => ({ path, line: 1, rule });
  let workflow: Workflow;
  try {
    workflow = parse(text) as Workflow;
  } catch (error) {
    return [found(`is no YAML: ${String(error)}`)];
  }
  const rules = [
    ...(workflow.on === undefined ? ['has no trigger'] : []),
    ...(JSON.stringify(workflow.permissions) === '{"contents":"read"}' ? [] : ['may do more than read']),
    ...(/\bsecrets\b/.test(text) ? ['uses secrets'] : []),
    ...Object.values(workflow.jobs ?? {}).flatMap((job) => [
      ...[job.needs ?? []].flat().map((name) => (workflow.jobs?.[name] ? [] : [`needs ${name}, which is no job`])),
      ...(job.steps?.length ? job.steps.map((step) => checkStep(step, checkout)) : [['has a job without steps']]),
      checkMatrix(job),
    ]),
  ];
  return rules.flat().map(found);
}

function checkStep({ uses, run }: Step, { isFile, npmScripts }: Checkout): string[] {
  if ((uses === undefined) === (run === undefined)) return ['has a step that does not either use or run something'];
  if (uses !== undefined) {
    return /@(v\d+|[0-9a-f]{40})$/.test(uses) ? [] : [`uses ${uses}, which is not pinned`];
  }
  const files = run!.match(/(?<![\w/.])(?:script|\.ci)\/[\w-]+/g) ?? [];
  const scripts = [...run!.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
  return [
    ...files.filter((file) => !isFile(file)).map((file) => `runs ${file}, which does not exist`),
    ...scripts.filter((name) => !npmScripts.includes(name)).map((name) => `runs ${name}, which is no script of npm`),
  ];
}

/** Names in `matrix.NAME` that the matrix does not give a value; GitHub would put an empty text. */
function checkMatrix(job: Job): string[] {
  const matrix = job.strategy?.matrix ?? {};
  const given = new Set([
    ...Object.keys(matrix),
    ...(matrix['include'] ?? []).flatMap((entry) => Object.keys(entry as object)),
  ]);
  const named = [...JSON.stringify(job).matchAll(/\bmatrix\.(\w+)/g)].map(([, name]) => name!);
  return [...new Set(named)].filter((name) => !given.has(name)).map((name) => `has no matrix.${name}`);
}
