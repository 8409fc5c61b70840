import { type CreateNodes, type NxPlugin, parseJson, type ProjectConfiguration } from '@nx/devkit';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isCheckout } from './levada/checkout';

/**
 * Each tenant of a checkout is a project, so that `nx run tenant-acme:deploy` deploys what serves it, and
 * `nx run-many -t drift` asks about all of them.
 */
export const createNodes: CreateNodes = [
  '**/tenants/*/tenant.config.json',
  (files, _options, { workspaceRoot }) =>
    files.flatMap((file) => {
      const tenant = dirname(file);
      const platform = projectOf(join(workspaceRoot, dirname(dirname(tenant))));
      return platform === undefined ? [] : [[file, { projects: { [tenant]: project(basename(tenant), platform) } }]];
    }),
];

/** The name of the project that a checkout is; none where init was not run. */
function projectOf(folder: string): string | undefined {
  const file = join(folder, 'project.json');
  if (!isCheckout(folder) || !existsSync(file)) {
    return undefined;
  }
  return parseJson<{ name?: string }>(readFileSync(file, 'utf8')).name;
}

function project(tenant: string, platform: string): Partial<ProjectConfiguration> {
  const target = (name: string) => ({
    executor: `@levada/nx:${name}`,
    options: { tenant },
    dependsOn: [{ projects: [platform], target: 'cli' }],
  });
  return { name: `tenant-${tenant}`, projectType: 'application', targets: { deploy: target('deploy'), drift: target('drift') } };
}

/** The variable that says how long Nx waits, in milliseconds, for what it has told to end, before it kills it. */
const GRACE = 'NX_PROCESS_KILL_GRACE_PERIOD';

/** What somebody has set. Nx leaves what is set below in the environment of a process that has loaded this for many runs. */
const given = process.env[GRACE];

/** Has Nx wait for levada in a run that deploys: an undo takes twelve minutes at most, and Nx waits for five seconds. */
export const preTasksExecution: NonNullable<NxPlugin['preTasksExecution']> = (_options, { argv }) => {
  if (given === undefined && argv.slice(2).some((word) => word.includes('deploy'))) {
    process.env[GRACE] = String(13 * 60_000);
  }
};
