import type { RequestListener, ServerResponse } from 'node:http';
import type { Metrics } from '../../core/model/metrics.ts';
import { pathOf } from '../../core/skull/operations/pass.ts';
import { EVENT_STREAM } from '../../core/skull/operations/stream.ts';
import { isPage } from './app.ts';
import type { PassedRequest } from './problems.ts';
import { findOperation } from './routes.ts';

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const EDITOR = /^\/editor(\/|$)/;

/** What a request is counted as: whatever paths there may be, the names are few. */
function nameOf(method: string, path: string): string {
  const operation = findOperation(method, path);
  if (operation !== undefined) return operation.id;
  if (isPage(path)) return '(documents)';
  return EDITOR.test(path) ? '(editor)' : '(other)';
}

const ABORTED = 0;

/** How often each operation ended in each way; to count by labels for every request would take as long as all its guard. */
class Answers {
  readonly #counts = new Map<string, Map<number, number>>();

  count(operation: string, status: number): void {
    const counts = this.#counts.get(operation) ?? new Map<number, number>();
    this.#counts.set(operation, counts.set(status, (counts.get(status) ?? 0) + 1));
  }

  *read(): Iterable<[{ operation: string; status: string }, number]> {
    for (const [operation, counts] of this.#counts) {
      for (const [status, count] of counts) {
        yield [{ operation, status: status === ABORTED ? 'aborted' : String(status) }, count];
      }
    }
  }
}

/** The stream of events, as far as it is shown. */
interface Stream {
  readonly readers: number;
  readonly cutOff: number;
}

/** Has counted what is answered, and how long it took, the guard included; and shown who reads the stream of events. */
export function metered(answer: RequestListener, stream: Stream, metrics: Metrics): RequestListener {
  showStream(stream, metrics);
  const answers = new Answers();
  metrics.gauge({
    name: 'skull_http_requests_total',
    help: 'Requests by what they asked for and how they ended; aborted: the caller did not wait for the answer.',
    labels: ['operation', 'status'],
    counts: true,
    read: () => answers.read(),
  });
  const observe = metrics.histogram({
    name: 'skull_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer, but for the stream of events, which has none.',
    labels: ['operation'],
    buckets: BUCKETS,
  });
  // One listener for all answers: one of its own for each is sometimes taken for long-lived by the garbage collector, which
  // then carries all that belongs to the request along; a quarter of all requests per second was lost to that.
  function closed(this: ServerResponse<PassedRequest>): void {
    const { method = '', url = '', originalUrl = url, skull } = this.req;
    const operation = nameOf(method, pathOf(originalUrl));
    answers.count(operation, this.headersSent ? this.statusCode : ABORTED);
    if (skull === undefined || operation === EVENT_STREAM.id) return;
    observe({ operation }, (performance.now() - skull.since) / 1000);
  }
  return (req, res) => {
    res.on('close', closed);
    answer(req, res);
  };
}

function showStream(stream: Stream, metrics: Metrics): void {
  metrics.gauge({
    name: 'skull_event_stream_readers',
    help: 'Who reads the stream of events now.',
    labels: [],
    read: () => [[{}, stream.readers]],
  });
  metrics.gauge({
    name: 'skull_event_stream_cut_off_total',
    help: 'Readers of the stream of events who were cut off, because they were too slow.',
    labels: [],
    counts: true,
    read: () => [[{}, stream.cutOff]],
  });
}
