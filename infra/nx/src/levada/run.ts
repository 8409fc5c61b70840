import { type ChildProcess, spawn } from 'node:child_process';
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

/**
 * Runs the command of a schema in the checkout at or above `folder`, with the output of this process, and
 * resolves to its exit code. A program that a signal ended has 128 and the signal's number, as in a shell.
 */
export async function run(of: Schema, options: Options, folder: string): Promise<number> {
  const root = checkout(folder);
  const [name = '', ...args] = commandLine(of, options);
  const child = spawn(name === 'levada' ? program(root) : name, args, { cwd: root, stdio: 'inherit' });
  const release = passSignals(child);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    release();
  }
}

/**
 * Tells the child to end when this process is told to, which then waits for it. A terminal and Nx signal every process
 * of a run, so the child may hear it more than once: SIGTERM can be repeated, where a second SIGINT would make levada
 * leave what it is undoing.
 */
function passSignals(child: ChildProcess): () => void {
  const stop = () => child.kill('SIGTERM');
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, stop));
  return () => signals.forEach((signal) => process.off(signal, stop));
}
