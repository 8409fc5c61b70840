import { logger, type PromiseExecutor } from '@nx/devkit';
import { join } from 'node:path';
import { beside, meaning, run, type Start } from './run';
import { schema, type Options } from './schema';

/** The executor that runs the command of its schema, started so, and succeeds when that exits with 0. */
export function executor(name: string, start: Start = beside): PromiseExecutor<Options> {
  const command = schema(`executors/${name}`);
  return async (options, context) => {
    const project = context.projectsConfigurations.projects[context.projectName ?? ''];
    const code = await run(command, options, join(context.root, project?.root ?? ''), start);
    if (code !== 0) {
      logger.error(meaning(code));
    }
    return { success: code === 0 };
  };
}
