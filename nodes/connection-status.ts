import type { Node } from 'node-red';
import type { BrokerLink } from '../core/model/ports.ts';

/** Shows at a node whether its link works, in the words of its catalogue. Returns the function that ends it. */
export function showConnection(
  node: Node,
  link: BrokerLink,
  words: { connected: string; connecting: string },
): () => void {
  return link.onConnection((connected) =>
    node.status(
      connected
        ? { fill: 'green', shape: 'dot', text: words.connected }
        : { fill: 'yellow', shape: 'ring', text: words.connecting },
    ),
  );
}
