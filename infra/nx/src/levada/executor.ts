import { logger, type PromiseExecutor } from '@nx/devkit';
import { join } from 'node:path';
import { meaning, run } from './run';
import { schema, type Options } from './schema';

/** The executor that runs the command of its schema, and succeeds when that exits with 0. */
export function executor(name: string): PromiseExecutor<Options> {
  const command = schema(`executors/${name}`);
  return async (options, context) => {
    const project = context.projectsConfigurations.projects[context.projectName ?? ''];
    const code = await run(command, options, join(context.root, project?.root ?? ''));
    if (code !== 0) {
      logger.error(meaning(code));
    }
    return { success: code === 0 };
  };
}
