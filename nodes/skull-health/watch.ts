import type { NodeMessage } from 'node-red';
import type { Character } from '../../core/skull/character.ts';
import { Supervisor } from '../../core/supervision/supervisor.ts';

/** A supervisor that outlives the nodes through which it hears and gives orders; what it orders in between is kept. */
export class Watch {
  readonly supervisor: Supervisor;
  readonly #kept: NodeMessage[] = [];
  #character: Character;
  #order: ((message: NodeMessage) => void) | undefined;
  #takeBack: () => void = () => {};

  constructor(character: Character) {
    this.#character = character;
    const { clock, log, services: manager } = character.ports;
    this.supervisor = new Supervisor({
      clock,
      log,
      manager,
      settings: () => this.#character.config.get('services'),
      act: (service, verb) => this.#give({ topic: verb, payload: { service } }),
    });
  }

  /** From now on it sees to this character's services, and gives its orders here; first those that it has kept. */
  open(character: Character, order: (message: NodeMessage) => void): void {
    this.#character = character;
    this.#takeBack = character.supervise(this.supervisor);
    this.#order = order;
    for (const message of this.#kept.splice(0)) order(message);
    this.supervisor.start();
  }

  /** Keeps its orders until it is opened again. It hears nobody meanwhile, so that nobody's silence means anything. */
  close(): void {
    this.#order = undefined;
    this.#takeBack();
    this.#takeBack = () => {};
    this.supervisor.connected(false);
  }

  /** Ends it for good. */
  retire(): void {
    this.close();
    this.supervisor.close();
  }

  #give(message: NodeMessage): void {
    if (this.#order === undefined) this.#kept.push(message);
    else this.#order(message);
  }
}
