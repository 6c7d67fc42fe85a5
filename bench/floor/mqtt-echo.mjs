/** The floor under every MQTT figure: a bare mqtt.js client that answers each event with its state at once. */
import mqtt from 'mqtt';

const client = mqtt.connect(process.argv[2], { reconnectPeriod: 0 });

client.on('connect', () => {
  client.stream.setNoDelay(true);
  client.subscribe(['audio/vad', 'asr/text', 'ai/response', 'voice/state'], () => process.send('ready'));
});
client.on('message', (topic) => {
  const state = { 'audio/vad': 'Listen', 'asr/text': 'Think', 'ai/response': 'Speak', 'voice/state': 'Idle' }[topic];
  client.publish('orchestrator/state', state);
});
