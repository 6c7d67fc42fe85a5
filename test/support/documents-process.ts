/** Serves the HTTP app by itself and tells its parent its address; to whoever asks, which modules have been loaded. */
import { createServer } from 'node:http';
import { createRequire, registerHooks } from 'node:module';
import express from 'express';

const loaded = new Set<string>();
registerHooks({
  load: (url, context, nextLoad) => {
    loaded.add(url);
    return nextLoad(url, context);
  },
});
const { cache } = createRequire(import.meta.url);
const { readEnvironment } = await import('../../runtime/env.ts');
const { createHttpApp } = await import('../../runtime/http/app.ts');
const { keepingLog } = await import('./ports.ts');

const redHttpNode = express();
redHttpNode.get('/health', (_req, res) => void res.json([...loaded, ...Object.keys(cache)]));
const env = readEnvironment({ API_KEY: 'boss', HOST: '127.0.0.1' });
const server = createServer(createHttpApp({ env, log: keepingLog(), redHttpNode, isReady: () => true }));
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit());
