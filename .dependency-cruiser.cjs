/** The rooms of the house and their doors; docs/architecture.md shows the same picture. */
const room = (name) => `^${name}/`;
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(core|adapters|nodes|runtime|simulator|settings)', pathNot: allowed },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('model-imports-nothing', room('core/model'), [room('core/model')]),
    only('statechart-imports-model', room('core/statechart'), [room('core/model'), room('core/statechart')]),
    only('scheduler-imports-model', room('core/scheduler'), [room('core/model'), room('core/scheduler')]),
    only('supervision-imports-model', room('core/supervision'), [room('core/model'), room('core/supervision')]),
    only('skull-imports-core', room('core/skull'), ['^core/(model|scheduler|statechart|supervision|skull)/']),
    only('adapters-import-core', room('adapters'), [room('core'), room('adapters')]),
    only('nodes-import-core', '^nodes/(?!stock\\.ts)', [room('core'), room('nodes')]),
    only('stock-composes-adapters', '^nodes/stock\\.ts', [room('core'), room('adapters'), room('nodes')]),
    only('simulator-imports-core', room('simulator'), ['^core/', room('simulator')]),
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: room('core') },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto)$' },
    },
    {
      name: 'core-knows-no-host',
      severity: 'error',
      from: { path: room('core') },
      to: { path: 'node_modules/(node-red|@node-red|@types/node-red|mqtt|aedes|express|pino)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test|bench)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    parser: 'swc',
  },
};
