import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import { PROBLEM_TYPE, toProblem } from '../../core/model/problem.ts';
import type { Character } from '../../core/skull/character.ts';
import { OPERATIONS, operationOf } from '../../core/skull/operations/index.ts';
import type { Answer, Command, Operation } from '../../core/skull/operations/operation.ts';
import { inTimezone } from '../../core/skull/timezone.ts';
import { withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';
import { LastStatus } from './last-status.ts';
import { type OperationMessage, type Received, receive } from './request.ts';

interface OperationDef extends NodeDef {
  character: string;
  operation: string;
}

type Send = (messages: (NodeMessage | NodeMessage[] | null)[]) => void;
type Done = (error?: Error) => void;

const JSON_TYPE = 'application/json; charset=utf-8';

/** One operation of the REST API between `http in` and `http response`. */
export default function skullOperation(RED: NodeAPI): void {
  function create(this: Node, def: OperationDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    const operation = operationOf(def.operation);
    if (character === undefined || operation === undefined) {
      refuseAll(RED, this, character, def);
      return;
    }
    const desk = new Desk(this, character, operation);
    this.on('input', (msg, send, done) => desk.serve(msg, send as Send, done));
    this.on('close', () => desk.close());
  }
  RED.nodes.registerType('skull-operation', create as never);

  const list = OPERATIONS.map(({ id, method, path, summary }) => ({ id, method, path, summary }));
  RED.httpAdmin.get('/skull-operation/operations', RED.auth.needsPermission('skull-operation.read'), (_req, res) => {
    res.json(list);
  });
}

/** Answers every request with a problem, so that none is left waiting for a node that was not set up. */
function refuseAll(RED: NodeAPI, node: Node, character: Character | undefined, { operation }: OperationDef): void {
  const text = character === undefined ? 'skull-operation.status.no-character' : 'skull-operation.status.no-operation';
  const lack = character === undefined ? 'The node has no character.' : `There is no operation ${operation}.`;
  node.status({ fill: 'red', shape: 'ring', text });
  node.on('input', (msg: OperationMessage, send, done) => {
    const error = new SkullError('unavailable', `${lack} Open the skull operation node and choose one.`);
    const request = receive(msg, RED.util.generateId);
    respond(msg, toProblem(error, request.path ?? '', request.id), error.status, PROBLEM_TYPE);
    send([msg, null]);
    done();
  });
}

/** Where the requests for one operation are served. */
class Desk {
  readonly #character: Character;
  readonly #operation: Operation;
  readonly #status: LastStatus;
  readonly #isCommand: boolean;
  readonly #newId: () => string;

  constructor(node: Node, character: Character, operation: Operation) {
    this.#character = character;
    this.#operation = operation;
    this.#status = new LastStatus(node, character.clock);
    this.#isCommand = operation.method !== 'GET';
    this.#newId = () => character.random.id();
  }

  /** Answers in the same tick where the operation can; an e-stop must not wait its turn. */
  serve(msg: OperationMessage, send: Send, done: Done): void {
    const request = receive(msg, this.#newId);
    const startedAt = this.#character.clock.elapsed();
    const answered = (answer: Answer) => {
      const status = answer.status ?? this.#operation.success.status;
      try {
        respond(msg, this.#inTimezone(answer.body, request), status, this.#operation.success.type ?? JSON_TYPE);
      } catch (error) {
        failed(error);
        return;
      }
      this.#record(request, status, startedAt);
      send([msg, answer.commands === undefined ? null : answer.commands.map(messageFor)]);
      done();
    };
    const failed = (error: unknown) => {
      const problem = toProblem(error, request.path ?? this.#operation.path, request.id);
      respond(msg, problem, problem.status, PROBLEM_TYPE);
      const fault = error instanceof SkullError ? undefined : asError(error);
      this.#record(request, problem.status, startedAt, { detail: problem.detail, ...(fault && { error: fault }) });
      send([msg, null]);
      done(fault);
    };
    let answer: Answer | Promise<Answer>;
    try {
      answer = this.#operation.run(request, this.#character);
    } catch (error) {
      failed(error);
      return;
    }
    if (answer instanceof Promise) answer.then(answered, failed);
    else answered(answer);
  }

  close(): void {
    this.#status.clear();
  }

  #inTimezone(body: unknown, { timezone }: Received): unknown {
    const { documented, schema } = this.#operation.success;
    return timezone === undefined ? body : inTimezone(body, documented ?? schema, timezone);
  }

  /** `detail`: why it was refused; `error`: what failed, where that is a fault of ours. */
  #record(request: Received, status: number, startedAt: number, why: { detail?: string; error?: Error } = {}): void {
    const { clock, events, log } = this.#character;
    const { id, method } = this.#operation;
    const path = request.path ?? this.#operation.path;
    this.#status.note(status);
    const entry = {
      kind: 'rest',
      msg: `${method} ${path} ${status}`,
      request_id: request.id,
      operation: id,
      method,
      path,
      status,
      ms: Math.round(clock.elapsed() - startedAt),
      ...why,
    } as const;
    log[why.error !== undefined ? 'error' : this.#isCommand ? 'info' : 'debug'](entry);
    if (!this.#isCommand) return;
    events.append({ kind: 'rest', subject: id, cause: request.id, data: { method, path, status } });
  }
}

/**
 * Over HTTP the payload is JSON, or a text as it is, as bytes, which `http response` sends with the least work of all
 * (measured: text and objects take longer); in a flow without HTTP it is the value.
 */
function respond(msg: OperationMessage, body: unknown, status: number, type: string): void {
  const text = typeof body === 'string' && type.startsWith('text/');
  msg.payload = msg.res === undefined ? body : Buffer.from(text ? body : JSON.stringify(body));
  msg.statusCode = status;
  msg.headers = { 'content-type': type };
}

const messageFor = (command: Command): NodeMessage => ({ ...command });

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(messageOf(error)));
