// A server over a fake host on a port of its own, and ways to talk to it: requests of Node's client, and bytes.

import { connect, type Socket } from 'node:net';
import { request, type IncomingHttpHeaders } from 'node:http';
import type { Test } from 'tap';
import { createServer, type ApiServer, type ServerOptions } from '../../../api/http/server.js';
import { FakeHost } from '../fake-host.js';

export interface Served {
  readonly host: FakeHost;
  readonly server: ApiServer;
  readonly url: string;
  readonly port: number;
}

/** Starts a server that ends with the test. */
export async function serve(t: Test, options: Partial<ServerOptions> = {}, address = '127.0.0.1'): Promise<Served> {
  const host = new FakeHost();
  const server = createServer({ service: host, ...options });
  t.teardown(async () => await server.close());
  return { host, server, ...(await server.listen({ host: address, port: 0 })) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: unknown;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
}

/** Asks, and gives the whole answer. Whatever has a body, or changes something, says that it is JSON. */
export async function ask(
  { port }: Pick<Served, 'port'>,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  const bytes =
    body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type: Record<string, string> = method === 'GET' ? {} : { 'content-type': 'application/json' };
  const length = bytes === undefined ? {} : { 'content-length': String(Buffer.byteLength(bytes)) };
  return await new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: { ...type, ...length, ...headers } },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (part: string) => (text += part));
        reply.on('error', reject);
        reply.on('end', () => {
          const { statusCode: status = 0, headers: answered } = reply;
          const isJson = /json/.test(answered['content-type'] ?? '');
          resolve({
            status,
            headers: answered,
            text,
            json: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(bytes);
  });
}

/** Posts that body as JSON. */
export async function post(served: Pick<Served, 'port'>, path: string, body?: unknown): Promise<Answer> {
  return await ask(served, path, { method: 'POST', body });
}

/** A connection for bytes. */
export interface Wire {
  readonly socket: Socket;
  send(text: string): void;
  /** All that came until the other side ended it. */
  readonly ended: Promise<string>;
  /** Resolves when that many complete replies came. */
  replied(pattern: RegExp): Promise<string>;
}

/** Connects, and sends these bytes. */
export function wire(t: Test, { port }: Pick<Served, 'port'>, text = '', address = '127.0.0.1'): Wire {
  const socket = connect(port, address);
  t.teardown(() => socket.destroy());
  let got = '';
  let changed: () => void = () => undefined;
  socket.setEncoding('utf8').on('data', (part: string) => {
    got += part;
    changed();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(got)));
  if (text !== '') socket.write(text);
  return {
    socket,
    send: (more) => void socket.write(more),
    ended,
    replied: async (pattern) => {
      while (!pattern.test(got)) {
        await new Promise<void>((resolve, reject) => {
          changed = resolve;
          socket.once('close', () => reject(new Error(`the connection ended after: ${got}`)));
        });
      }
      return got;
    },
  };
}

/** The status lines in what came. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}

/** The code in a reply that came as bytes. */
export function codeIn(text: string): string | undefined {
  return /"code":"(\w+)"/.exec(text)?.[1];
}
