import type { NodeAPI } from 'node-red';
import { checkDefinition } from '../../core/statechart/check.ts';
import { toMermaid } from '../../core/statechart/mermaid.ts';
import { shapeOf } from '../../core/statechart/shape.ts';
import type { Fsm } from './fsm.ts';

/** What the editor asks the runtime: is this definition right, how does it look, where does that node stand. */
export function serveEditor(RED: NodeAPI, running: ReadonlyMap<string, Fsm>): void {
  const { httpAdmin }: Partial<Pick<NodeAPI, 'httpAdmin'>> = RED;
  if (httpAdmin === undefined) return;
  const mayRead = RED.auth.needsPermission('skull-fsm.read');
  httpAdmin.post('/skull-fsm/check', mayRead, (request, response) => {
    const json: unknown = request.body?.definition;
    const { issues, warnings } = checkDefinition(json);
    // A wrong target or expression does not keep the rest from being drawn.
    const { definition } = shapeOf(json);
    response.json({ issues, warnings, mermaid: definition ? toMermaid(definition) : '' });
  });
  httpAdmin.get('/skull-fsm/state/:id', mayRead, (request, response) => {
    const chart = running.get(String(request.params.id))?.chart;
    if (chart === undefined) response.status(404).json({ message: 'No such statechart is running.' });
    else response.json({ state: chart.state, mermaid: toMermaid(chart.definition, chart.state) });
  });
}
