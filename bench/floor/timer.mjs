/** The floor under the jaw's frames: a bare mqtt.js client that publishes one every 40 ms, each at its own time. */
import mqtt from 'mqtt';

const STEP_MS = 40;
const client = mqtt.connect(process.argv[2], { reconnectPeriod: 0 });

client.on('connect', () => {
  client.stream.setNoDelay(true);
  const origin = Date.now();
  let step = 0;
  const next = () => {
    client.publish('motion/jaw', `{"open":0.5,"t":${step * STEP_MS}}`);
    step++;
    setTimeout(next, Math.max(0, origin + step * STEP_MS - Date.now()));
  };
  next();
  process.send('ready');
});
