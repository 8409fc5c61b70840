import { type Generator, getProjects, joinPathFragments, logger, type Tree } from '@nx/devkit';
import { spawnSync } from 'node:child_process';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { isCheckout, program } from './checkout';
import { meaning } from './run';
import { commandLine, schema, type Options } from './schema';

/** What `levada new ... --dry-run --json` prints. */
interface Plan {
  what: string;
  files: readonly { path: string; action: 'make' | 'edit' | 'keep'; text?: string }[];
  notes?: readonly string[];
}

/** The most that a plan takes: it has the whole text of each file that it changes. */
const MOST = 64 << 20;

/**
 * The generator that has the command of its schema make the plan, and does it in Nx's tree: so Nx lists the files, and
 * `--dry-run` is Nx's own.
 */
export function generator(name: string): Generator<Options> {
  const command = schema(`generators/${name}`);
  return async (tree, options) => {
    const root = typeof options['root'] === 'string' ? resolve(tree.root, options['root']) : checkoutIn(tree);
    const inTree = relative(tree.root, root);
    if (inTree.startsWith('..') || isAbsolute(inTree)) {
      throw new Error(`--root ${root}: is outside of the workspace, where Nx writes nothing`);
    }
    const plan = ask(root, commandLine(command, options));
    write(tree, inTree, plan);
    return () => plan.notes?.forEach((note) => logger.info(note));
  };
}

/** The checkout that init made a project of this workspace. */
function checkoutIn(tree: Tree): string {
  const roots = [...getProjects(tree).values()].map((project) => join(tree.root, project.root)).filter(isCheckout);
  const [root, another] = roots;
  if (root === undefined) {
    throw new Error('no project of this workspace is a checkout of levada.dev; nx g @levada/nx:init makes it one');
  }
  if (another !== undefined) {
    throw new Error(`both ${root} and ${another} are checkouts of levada.dev; --root FOLDER says which is meant`);
  }
  return root;
}

/** Runs the command, whose problems go to where this process has its own. */
function ask(root: string, line: readonly string[]): Plan {
  const done = spawnSync(program(root), line.slice(1), { cwd: root, encoding: 'utf8', maxBuffer: MOST, stdio: ['ignore', 'pipe', 'inherit'] });
  if (done.error) {
    throw done.error;
  }
  if (done.status !== 0) {
    throw new Error(done.status === null ? `levada was ended by ${done.signal}` : meaning(done.status));
  }
  return JSON.parse(done.stdout);
}

/** Does the plan in the tree. It was made of the files on disk, so those must not have changes that wait in the tree. */
function write(tree: Tree, root: string, plan: Plan): void {
  const waiting = new Set(tree.listChanges().map((change) => change.path));
  const changed = plan.files.filter((file) => file.action !== 'keep');
  for (const file of changed) {
    const path = joinPathFragments(root, file.path);
    if (waiting.has(path)) {
      throw new Error(`${path}: another generator of this run changes it, too; run them one after the other`);
    }
    tree.write(path, file.text ?? '');
  }
  if (changed.length === 0) {
    logger.info(`${plan.what} is there already: nothing to write`);
  }
}
