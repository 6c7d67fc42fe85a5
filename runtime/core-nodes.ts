/** Node-RED's own nodes: the file that brings them and their types. A test holds this list against Node-RED's files. */
export const CORE_NODES: Readonly<Record<string, readonly string[]>> = {
  '05-junction.js': ['junction'],
  '20-inject.js': ['inject'],
  '21-debug.js': ['debug'],
  '24-complete.js': ['complete'],
  '25-catch.js': ['catch'],
  '25-status.js': ['status'],
  '60-link.js': ['link in', 'link out', 'link call'],
  '90-comment.js': ['comment'],
  '91-global-config.js': ['global-config'],
  '98-unknown.js': ['unknown'],
  '10-function.js': ['function'],
  '10-switch.js': ['switch'],
  '15-change.js': ['change'],
  '16-range.js': ['range'],
  '80-template.js': ['template'],
  '89-delay.js': ['delay'],
  '89-trigger.js': ['trigger'],
  '90-exec.js': ['exec'],
  'rbe.js': ['rbe'],
  '05-tls.js': ['tls-config'],
  '06-httpproxy.js': ['http proxy'],
  '10-mqtt.js': ['mqtt in', 'mqtt out', 'mqtt-broker'],
  '21-httpin.js': ['http in', 'http response'],
  '21-httprequest.js': ['http request'],
  '22-websocket.js': ['websocket in', 'websocket out', 'websocket-listener', 'websocket-client'],
  '31-tcpin.js': ['tcp in', 'tcp out', 'tcp request'],
  '32-udp.js': ['udp in', 'udp out'],
  '70-CSV.js': ['csv'],
  '70-HTML.js': ['html'],
  '70-JSON.js': ['json'],
  '70-XML.js': ['xml'],
  '70-YAML.js': ['yaml'],
  '17-split.js': ['split', 'join'],
  '18-sort.js': ['sort'],
  '19-batch.js': ['batch'],
  '10-file.js': ['file', 'file in'],
  '23-watch.js': ['watch'],
};

/** What costs time and memory at start and is seldom wanted beside a skull: loaded where a flow uses it. */
const HEAVY: ReadonlySet<string> = new Set([
  '06-httpproxy.js',
  '10-mqtt.js',
  '05-tls.js',
  '21-httprequest.js',
  '22-websocket.js',
  '31-tcpin.js',
  '32-udp.js',
  '70-CSV.js',
  '70-HTML.js',
  '70-XML.js',
  '70-YAML.js',
  '23-watch.js',
  '90-exec.js',
]);

/**
 * The files of Node-RED's own nodes that are not loaded: without an editor, nobody can add what no flow uses; with one,
 * the light ones are at hand.
 */
export function excludedCoreNodes(usedTypes: ReadonlySet<string>, editor: boolean): string[] {
  return Object.entries(CORE_NODES)
    .filter(([file, types]) => !types.some((type) => usedTypes.has(type)) && !(editor && !HEAVY.has(file)))
    .map(([file]) => file);
}
