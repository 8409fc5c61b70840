import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { checkout, program } from './checkout';
import { commandLine, type Options, type Schema } from './schema';

/** What the exit codes of levada mean. */
const MEANINGS: Readonly<Record<number, string>> = {
  1: 'a problem was found, or the command failed',
  2: 'changes are pending, or it was called wrongly',
  3: 'some tenants failed',
  4: 'it failed, and was rolled back',
  5: 'it was refused: what is there is not ours, or would be destroyed',
  6: 'a rollback failed: look at it now',
  130: 'it was interrupted, and has undone what it had to',
};

/** A sentence about an exit code that is not 0. */
export function meaning(code: number): string {
  return `levada exited with ${code}: ${MEANINGS[code] ?? 'see its output'}`;
}

/** A program that runs. */
export interface Running {
  /** Resolves to its exit code. One that a signal ended has 128 and the signal's number, as in a shell. */
  ended: Promise<number>;
  /** Tells it to end, as often as it is called. */
  stop(): void;
}

/** How a program is started, with the output of this process. */
export type Start = (program: string, args: readonly string[], cwd: string) => Running;

/**
 * Runs the command of a schema in the checkout at or above `folder`, and resolves to its exit code. When this process is
 * told to end, so is the command, which is then waited for.
 */
export async function run(of: Schema, options: Options, folder: string, start: Start): Promise<number> {
  const root = checkout(folder);
  const [name = '', ...args] = commandLine(of, options);
  const running = start(name === 'levada' ? program(root) : name, args, root);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, running.stop));
  try {
    return await running.ended;
  } finally {
    signals.forEach((signal) => process.off(signal, running.stop));
  }
}

/**
 * Starts a program as a child. A terminal and Nx signal every process of a run, so it may be told to end more than once:
 * SIGTERM can be repeated, where a second SIGINT would make levada leave what it is undoing.
 */
export function beside(program: string, args: readonly string[], cwd: string): Running {
  const child = spawn(program, args, { cwd, stdio: 'inherit' });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
  return { ended, stop: () => child.kill('SIGTERM') };
}
