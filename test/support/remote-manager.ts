import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type ErrorCode, SkullError } from '../../core/model/errors.ts';
import type { ServiceManager, UnitChange, UnitState, Verb } from '../../core/model/service-manager.ts';
import type { ServiceName } from '../../core/model/services.ts';
import { UnitBook } from '../../core/supervision/unit-book.ts';
import { keepingLog } from './ports.ts';

export interface ToProcess {
  id: number;
  service: ServiceName;
  verb: Verb;
}

export type FromProcess =
  | { change: UnitChange }
  | { connected: boolean; units: Partial<Record<ServiceName, UnitState>> }
  | { id: number; state: UnitState }
  | { id: number; code: ErrorCode | 'internal'; message: string };

/** A service manager that runs in a process of another user, as in production. */
export class RemoteManager implements ServiceManager {
  readonly kind: 'systemd' | 'systemctl';
  readonly #book = new UnitBook(keepingLog());
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: FromProcess) => void>();

  constructor(kind: 'systemd' | 'systemctl', uid: number) {
    this.kind = kind;
    const file = path.join(import.meta.dirname, 'manager-process.ts');
    this.#child = fork(file, [kind], { uid, gid: uid, execArgv: [] });
    this.#child.on('message', (message) => this.#hear(message as FromProcess));
  }

  get connected(): boolean {
    return this.#book.connected;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  unit(service: ServiceName): UnitState {
    return this.#book.unit(service);
  }

  act(service: ServiceName, verb: Verb): Promise<UnitState> {
    const id = this.#answers.size;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (answer) => {
        if ('state' in answer) resolve(answer.state);
        else if ('code' in answer) reject(new SkullError(answer.code, answer.message));
      });
      this.#child.send({ id, service, verb } satisfies ToProcess);
    });
  }

  onUnit(listener: (change: UnitChange) => void): () => void {
    return this.#book.onUnit(listener);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#book.onConnection(listener);
  }

  async close(): Promise<void> {
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }

  #hear(message: FromProcess): void {
    if ('change' in message) this.#book.move(message.change.service, message.change.state, message.change);
    else if ('id' in message) this.#answers.get(message.id)?.(message);
    else {
      for (const [service, state] of Object.entries(message.units)) this.#book.move(service as ServiceName, state);
      this.#book.connect(message.connected);
    }
  }
}
