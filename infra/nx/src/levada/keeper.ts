import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Socket } from 'node:net';
import type { Said } from './apart';

/** The file descriptor of what leads to the process that wants the program run. */
const LINK = 3;

/** Starts this file again, and ends: what it has started was then started by nobody whom Nx knows. */
function leave(program: string, args: readonly string[]): void {
  spawn(process.execPath, [__filename, 'keep', program, ...args], { detached: true, stdio: ['inherit', 'inherit', 'inherit', LINK] }).unref();
}

/** Runs the program, tells it to end when the other side of the link closes, and says there how it ended. */
function keep(program: string, args: readonly string[]): void {
  const link = new Socket({ fd: LINK, allowHalfOpen: true });
  const child = spawn(program, args, { stdio: 'inherit' });
  const stop = () => child.kill('SIGTERM');
  const say = (what: Said) => link.end(JSON.stringify(what), () => process.exit());
  child.on('error', (error) => say({ error: error.message }));
  child.on('exit', (code, signal) => say({ code: code ?? 128 + (signal ? constants.signals[signal] : 0) }));
  link.on('end', stop).on('error', stop).resume();
  (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).forEach((signal) => process.on(signal, stop));
}

const [step, program = '', ...args] = process.argv.slice(2);
(step === 'leave' ? leave : keep)(program, args);
