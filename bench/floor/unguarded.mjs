/**
 * The floor under what the guard costs: Node-RED in one process with the embedded broker and the product's flows, as
 * built, with nothing in front of them and nothing beside them. Says its port to its parent.
 */
import { createServer } from 'node:http';
import module from 'node:module';
import path from 'node:path';

const dist = (file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
const home = process.env.SKULL_HOME;
module.enableCompileCache(path.join(home, 'data/cache'));

const { startEmbeddedBroker } = await dist('adapters/broker/embedded.js');
const { packPorts } = await dist('adapters/pack-ports.js');
const { openLog } = await dist('adapters/telemetry/log.js');
const { readEnvironment } = await dist('runtime/env.js');
const { readFlowFiles } = await dist('runtime/flows/files.js');
const { flowStorage } = await dist('runtime/flows/storage.js');
const { coreNodesDir, embedNodeRed, loadLibrary } = await dist('runtime/node-red.js');
const { nodeRedSettings } = await dist('settings.js');

const env = readEnvironment(process.env);
const log = openLog({ folder: path.join(home, 'logs'), level: env.logLevel, terminal: process.stdout });
const broker = await startEmbeddedBroker({ host: env.mqttHost, port: env.mqttPort, log });
const server = createServer();
const settings = nodeRedSettings({
  env,
  ports: packPorts({ home, log, connect: (options) => broker.link(options), services: undefined }),
  storage: flowStorage({ flowsDir: env.flowsDir, userDir: path.join(home, 'data/node-red'), loadLibrary }),
  usedTypes: new Set(readFlowFiles(env.flowsDir).flatMap(({ nodes }) => nodes.map(({ type }) => type))),
  credentialSecret: 'bench',
  coreNodesDir: coreNodesDir(),
});
const nodeRed = await embedNodeRed(settings, server, false);
// What the product spares its callers, and what has nothing to do with a guard.
nodeRed.httpNode.disable('etag');
nodeRed.httpNode.disable('x-powered-by');
server.on('request', nodeRed.httpNode);
await nodeRed.start();
broker.open();
module.flushCompileCache();
server.listen(env.port, env.host, () => process.send(server.address().port));
process.on('SIGTERM', () => process.exit());
