import { VERSION } from '../../adapters/files/package-root.ts';
import { type Answer, Machine } from './machine.ts';

export const UNIT = 'skull-orchestrator.service';
export const HOME = '/opt/Skull';
export const INSTALL = '/srv/skull/systemd/install.sh';
export const UNINSTALL = '/srv/skull/systemd/uninstall.sh';
export const ENV_FILE = `${HOME}/config/orchestrator.env`;

/** A user's flow that blocks the event loop at GET /loop. */
export const LOOPING_FLOW = [
  { id: 'mine', type: 'tab', label: 'Mine' },
  { id: 'ask', type: 'http in', z: 'mine', url: '/loop', method: 'get', wires: [['loop']], x: 100, y: 100 },
  { id: 'loop', type: 'function', z: 'mine', func: 'for (;;);', outputs: 1, wires: [['answer']], x: 200, y: 100 },
  { id: 'answer', type: 'http response', z: 'mine', wires: [], x: 300, y: 100 },
];

/** A flow with a node that does not exist. */
export const BROKEN_FLOW = [
  { id: 'broken', type: 'tab', label: 'Broken' },
  { id: 'brain', type: 'skull-brain', z: 'broken', wires: [], x: 100, y: 100 },
];

/** A machine that the orchestrator is installed on. */
export class Installation extends Machine {
  /** A property of the unit. */
  show(property: string): Promise<string> {
    return this.sh(`systemctl show --property=${property} --value ${UNIT}`);
  }

  /** The folder of the version that runs. */
  release(): Promise<string> {
    return this.sh(`readlink -e ${HOME}/apps/orchestrator`);
  }

  /** Runs an installer until its version is in place, not yet healthy, then sends it and its children a signal. */
  async interrupt(install: string, signal: string): Promise<Answer> {
    return this.try(`
      before=$(readlink ${HOME}/apps/orchestrator)
      setsid ${install} &
      until [ "$(readlink ${HOME}/apps/orchestrator)" != "$before" ]; do sleep 0.05; done
      kill -${signal} -- -$!; wait $!`);
  }

  /** The status of an answer. */
  get(place: string, key?: string): Promise<string> {
    const header = key === undefined ? '' : `--header 'X-API-Key: ${key}'`;
    return this.sh(
      `curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' ${header} http://127.0.0.1:8080${place}`,
    );
  }

  /** Runs a command as the user of the service, who can become nobody else. */
  asSkull(command: string): Promise<Answer> {
    return this.try(`setpriv --reuid=skull --regid=skull --init-groups --no-new-privs ${command}`);
  }

  healthy(): Promise<void> {
    return this.until('curl --silent --fail http://127.0.0.1:8080/health');
  }

  /** Resolves once systemd has started it again so many times, and it is well. */
  async restarted(times: number): Promise<void> {
    await this.until(`[ "$(systemctl show --property=NRestarts --value ${UNIT})" = ${times} ]`);
    await this.until(`systemctl is-active --quiet ${UNIT}`);
    await this.healthy();
  }

  /** Makes another version of the clone, which a script in its folder changes. Resolves with its installer. */
  async variant(version: string, change: string): Promise<string> {
    await this.sh(`
      mkdir /tmp/${version} && cd /srv/skull
      cp -r --parents package.json dist flows systemd examples resources docs .env.example *.md LICENSE /tmp/${version}
      cd /tmp/${version}
      ln -s /srv/skull/node_modules
      sed -i 's/"version": "${VERSION}"/"version": "${version}"/' package.json
      ${change}`);
    return `/tmp/${version}/systemd/install.sh`;
  }
}
