import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const BINARY = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync);

/** Skips the suite where there is no mosquitto, and says how to get it; in CI there must be one. */
export function needsMosquitto(suite: Mocha.Context): void {
  if (BINARY !== undefined) return;
  const hint = 'needs mosquitto: apt-get install mosquitto';
  if (process.env.CI === 'true') throw new Error(hint);
  suite.test?.parent?.suites.forEach((one) => {
    one.title += ` (${hint})`;
  });
  suite.skip();
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A real mosquitto on a port of its own, that can be killed and brought back. It forgets everything when it ends. */
export class Mosquitto {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'skull-mosquitto-'));
  readonly port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort());
    const conf = [`listener ${broker.port} 127.0.0.1`, 'allow_anonymous true', 'set_tcp_nodelay true'];
    writeFileSync(path.join(broker.#folder, 'mosquitto.conf'), `${conf.join('\n')}\n`);
    await broker.run();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    this.#child = spawn(BINARY ?? 'mosquitto', ['-c', path.join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' });
    while (!(await answers(this.port))) await pause(10);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
