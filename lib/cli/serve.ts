import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { loadCaptioner } from '../captioners';
import { interruptible } from '../notebook/interruptible';
import { captionServer } from './caption-server';
import { printable } from './printable';

export interface ServeCommandOptions {
  port?: number;
  host?: string;
  numBeams?: number;
  json?: boolean;
}

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i;
const warn = (text: string): void => { process.stderr.write(`captioning: ${text.split('\n').map(printable).join('\n')}\n`); };

/**
 * Serves a captioner until Ctrl-C or SIGTERM, and then ends what is in hand. Prints one line on standard output when it is ready.
 *
 * @throws Error when there is no such captioner, or the port cannot be had
 */
export async function serve(model: string, { port = 8080, host = '127.0.0.1', numBeams, json }: ServeCommandOptions): Promise<void> {
  const captioner = loadCaptioner(model);
  try {
    await interruptible(async (signal) => {
      const stopped = Promise.race([once(signal, 'abort'), once(process, 'SIGTERM')]);
      const { server, stop } = captionServer(captioner, {
        name: basename(resolve(model)), numBeams, host, onError: (error) => warn(error.stack ?? error.message),
      });
      const url = await listen(server, port, host);
      if (!LOOPBACK.test(host)) warn(`whoever reaches this machine at ${host} can send pictures: no password, nothing is encrypted.`);
      const ready = `${printable(model)} captions pictures at ${url} (Ctrl-C stops it)`;
      process.stdout.write(`${json ? JSON.stringify({ url, model, pid: process.pid }) : ready}\n`);
      await stopped;
      await stop();
    });
  } finally {
    captioner.dispose();
  }
}

/** @returns the server's address, with the port that was free for port 0 */
async function listen(server: Server, port: number, host: string): Promise<string> {
  try {
    await once(server.listen({ port, host }), 'listening');
  } catch (error) {
    throw new Error(problem(error as NodeJS.ErrnoException, port, host));
  }
  return `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/`;
}

function problem({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === 'EADDRINUSE') return `port ${port} is in use: name another by --port, or 0 for any that is free.`;
  if (code === 'EACCES') return `port ${port} is not for ordinary users: name one above 1023 by --port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `--host ${host}: this machine has no such address.`;
  return `the server cannot listen at ${host}, port ${port}: ${message}`;
}
