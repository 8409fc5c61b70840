import { joinPathFragments, type TargetConfiguration, type Tree } from '@nx/devkit';
import { MODULE_LINE } from '../levada/checkout';
import { Jsonc } from './jsonc';

/** The name of this package, as nx.json and project.json know it. */
const PLUGIN = '@levada/nx';

export interface InitOptions {
  /** The folder of the checkout in the workspace. */
  directory?: string;
  /** The name of the project that it becomes. */
  name?: string;
}

/**
 * Makes a checkout of Levada a project: its targets in project.json, what Nx is to know of them in nx.json.
 * Only what is missing is added, so it may be run again, and after an update of this package.
 */
export default async function init(tree: Tree, { directory = '.', name = 'levada' }: InitOptions): Promise<void> {
  const module = tree.read(joinPathFragments(directory, 'go.mod'), 'utf8');
  if (module?.split('\n', 1)[0]?.trim() !== MODULE_LINE) {
    throw new Error(`${directory}: no checkout of levada.dev; --directory FOLDER says where it is in this workspace`);
  }
  project(tree, directory, name);
  workspace(tree);
  ignore(tree);
}

/** The program is built by a target of its own, so that many tasks at a time use one. */
const BUILD: TargetConfiguration = {
  executor: 'nx:run-commands',
  options: { command: 'go build -o bin/levada ./infra/cmd/levada', cwd: '{projectRoot}' },
};

function project(tree: Tree, directory: string, name: string): void {
  const file = new Jsonc(tree, joinPathFragments(directory, 'project.json'));
  file.fill([], { name, projectType: 'application' });
  file.fill(['targets'], {
    cli: BUILD,
    dev: target('dev', { options: { withParent: true } }),
    test: { executor: `${PLUGIN}:test` },
    deploy: target('deploy'),
    'deploy-all': target('deploy-all'),
    drift: target('drift'),
  });
  file.save();
}

function target(name: string, more: Partial<TargetConfiguration> = {}): TargetConfiguration {
  return { executor: `${PLUGIN}:${name}`, dependsOn: ['cli'], ...more };
}

/** What every target of an executor has, those of tenants included. */
const DEFAULTS: Readonly<Record<string, Partial<TargetConfiguration>>> = {
  [`${PLUGIN}:dev`]: { cache: false }, // not continuous: Nx 24.0 succeeds when such a task has failed
  [`${PLUGIN}:test`]: { cache: false, parallelism: false }, // runs workerd on what processors there are
  [`${PLUGIN}:deploy`]: { cache: false, parallelism: false }, // tenants may share a pool, which takes one deployment at a time
  [`${PLUGIN}:deploy-all`]: { cache: false, parallelism: false },
  [`${PLUGIN}:drift`]: { cache: false },
};

function workspace(tree: Tree): void {
  const file = new Jsonc(tree, 'nx.json');
  const plugins = (file.get(['plugins']) ?? []) as readonly (string | { plugin?: string })[];
  if (!plugins.some((one) => one === PLUGIN || (typeof one === 'object' && one.plugin === PLUGIN))) {
    file.append(['plugins'], PLUGIN);
  }
  file.fill(['targetDefaults'], DEFAULTS);
  file.save();
}

/** Nx keeps its cache below .nx, which is nobody's source. */
function ignore(tree: Tree): void {
  const text = tree.read('.gitignore', 'utf8') ?? '';
  if (!text.split('\n').some((line) => /^\/?\.nx\/?$/.test(line.trim()))) {
    tree.write('.gitignore', `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}/.nx/\n`);
  }
}
