import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { beside, type Running, type Start } from './run';

/** What the keeper says when the program has ended. */
export type Said = { code: number } | { error: string };

/**
 * Starts a program that undoes what it has begun when it is told to end, and that Nx does not kill while it does so: Nx
 * kills what its tasks have started, and finds it by who started whom. So a keeper (keeper.ts) starts the program, and
 * was itself started by a process that is gone. It tells the program to end when this process says so, or was killed.
 * What the program prints goes where this process has its output, for as long as that is read.
 */
function apart(program: string, args: readonly string[], cwd: string): Running {
  const leaving = spawn(process.execPath, [join(__dirname, 'keeper.js'), 'leave', program, ...args], {
    cwd,
    detached: true, // a terminal's Ctrl-C is for this process, which passes it on
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  return { ended: said(leaving), stop: () => (leaving.stdio[3] as Socket).end() };
}

/** On Windows no process can be told to end but through a console that it shares. */
export const undoing: Start = process.platform === 'win32' ? beside : apart;

/** What the keeper says in the end. */
async function said(leaving: ChildProcess): Promise<number> {
  const link = leaving.stdio[3] as Socket;
  let text = '';
  link.setEncoding('utf8').on('data', (more: string) => (text += more));
  await new Promise((resolve, reject) => {
    leaving.on('error', reject);
    link.on('error', reject).on('close', resolve);
  });
  if (text === '') {
    throw new Error('what kept levada was killed, so nobody knows how levada ended; levada status says what is live');
  }
  const last: Said = JSON.parse(text);
  if ('error' in last) {
    throw new Error(last.error);
  }
  return last.code;
}
