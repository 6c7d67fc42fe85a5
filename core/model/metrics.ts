/** Figures for a monitoring system, as Prometheus knows them. */

/** The media type of what `render` makes: Prometheus' text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Metric<Label extends string> {
  /** Lower case with underscores, its unit at the end: `skull_http_requests_total`. */
  name: string;
  help: string;
  labels: readonly Label[];
}

/** A value for each label; from a bounded set each, for every combination is kept. */
export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** Whoever asks for a metric of a name that is there already goes on with that one. */
export interface Metrics {
  /** Returns the function that adds to it; by 1 where nothing else is said. */
  counter<Label extends string>(metric: Metric<Label>): (labels: Labels<Label>, by?: number) => void;
  /** Returns the function that adds an observation. */
  histogram<Label extends string>(
    metric: Metric<Label> & { buckets: readonly number[] },
  ): (labels: Labels<Label>, value: number) => void;
  /**
   * Values that are read when somebody looks; `counts` where they only grow. Returns the function that ends it; a further
   * one of the same name takes its place.
   */
  gauge<Label extends string>(
    metric: Metric<Label> & { counts?: boolean; read: () => Iterable<readonly [Labels<Label>, number]> },
  ): () => void;
  /** Everything as text, of `METRICS_TYPE`. */
  render(): Promise<string>;
}
