declare module 'node-red-node-test-helper' {
  import type { Node, NodeAPI } from 'node-red';

  const helper: {
    settings(settings: object): object;
    load(nodes: readonly ((RED: NodeAPI) => void)[], flow: readonly object[], credentials?: object): Promise<void>;
    setFlows(flow: readonly object[], type?: 'full' | 'flows' | 'nodes'): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): Node & { close(removed?: boolean): Promise<void> };
    request(): unknown;
  };
  export default helper;
}
