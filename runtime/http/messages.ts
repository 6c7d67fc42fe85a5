import { IncomingMessage, ServerResponse } from 'node:http';
import type { Application } from 'express';

/**
 * Classes for the requests and answers of a server, which can be those of an application of Express from the start. By
 * itself it gives each request and each answer another prototype, and whatever Node.js then does with them takes longer:
 * an eighth of `GET /status` in all.
 */
export class Messages {
  readonly IncomingMessage = class extends IncomingMessage {};
  readonly ServerResponse = class extends ServerResponse {};

  /** Has messages to come be this application's; others go on to take them over one by one. */
  suit(app: Application): void {
    Object.setPrototypeOf(this.IncomingMessage.prototype, Reflect.get(app, 'request'));
    Object.setPrototypeOf(this.ServerResponse.prototype, Reflect.get(app, 'response'));
    Object.assign(app, { request: this.IncomingMessage.prototype, response: this.ServerResponse.prototype });
  }
}
